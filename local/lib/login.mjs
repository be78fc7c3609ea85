// The login of the local users' issuer. `loginPage` is what a browser sees: one field, the account, and no password;
// `logIn` walks the same pages without a browser: authorization code with PKCE (RFC 7636), RFC 6749 section 4.1.

import * as crypto from 'node:crypto';

import { readBody } from './listen.mjs';

const MAX_HOPS = 8;
const STEP_TIMEOUT_MS = 10_000;

const PAGE = `<!doctype html>
<meta charset="utf-8">
<title>Sign in</title>
<h1>Sign in (development)</h1>
<form method="post">
  <label>Account <input name="account" value="user-manager" autocomplete="off" autofocus></label>
  <button>Sign in</button>
</form>
`;

/** Answers `/interaction/{uid}`: the form, and the form sent. Any account exists; it becomes `sub`. */
export async function loginPage(provider, request, response) {
  try {
    if (request.method !== 'POST') {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' });
      response.end(PAGE);
      return;
    }
    const accountId = new URLSearchParams(await readBody(request)).get('account');
    if (!accountId) {
      response.writeHead(400, { 'content-type': 'text/plain' });
      response.end('the form needs an `account`\n');
      return;
    }
    await provider.interactionFinished(request, response, { login: { accountId } });
  } catch (error) {
    console.error(`login: ${error.stack}`);
    if (!response.headersSent) response.writeHead(400, { 'content-type': 'text/plain' });
    response.end('this login has ended, start it again\n');
  }
}

/** Signs in as `account` and answers the token endpoint's answer. */
export async function logIn({ issuer, clientId, redirectUri, resource, scope, account }) {
  const cookies = new Map();
  const verifier = crypto.randomBytes(32).toString('base64url');
  const start = new URL('/auth', issuer);
  start.search = new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    resource,
    scope,
    state: crypto.randomUUID(),
    code_challenge: crypto.createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  }).toString();

  let next = start;
  for (let hop = 0; hop < MAX_HOPS; hop += 1) {
    const form = next.pathname.startsWith('/interaction/') ? new URLSearchParams({ account }) : undefined;
    const response = await fetch(next, {
      method: form ? 'POST' : 'GET',
      body: form,
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      signal: AbortSignal.timeout(STEP_TIMEOUT_MS),
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (value) cookies.set(name, value);
      else cookies.delete(name);
    }
    const location = response.headers.get('location');
    if (!location) throw new Error(`the login stopped at ${next.pathname} with status ${response.status}`);
    next = new URL(location, next);
    if (next.href.startsWith(redirectUri)) {
      const code = next.searchParams.get('code');
      if (!code) throw new Error(`the login was refused: ${next.searchParams.get('error_description') ?? 'no code'}`);
      return redeem({ issuer, clientId, redirectUri, resource, verifier, code });
    }
  }
  throw new Error('the login has too many redirects');
}

async function redeem({ issuer, clientId, redirectUri, resource, verifier, code }) {
  return tokenRequest(issuer, {}, {
    grant_type: 'authorization_code',
    client_id: clientId,
    redirect_uri: redirectUri,
    code_verifier: verifier,
    code,
    resource,
  });
}

/** A client credentials exchange (RFC 6749 section 4.4). */
export async function clientCredentials({ issuer, clientId, clientSecret, resource, scope }) {
  const basic = Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`).toString('base64');
  return tokenRequest(issuer, { authorization: `Basic ${basic}` }, { grant_type: 'client_credentials', resource, scope });
}

async function tokenRequest(issuer, headers, form) {
  const response = await fetch(new URL('/token', issuer), {
    method: 'POST',
    headers,
    body: new URLSearchParams(form),
    signal: AbortSignal.timeout(STEP_TIMEOUT_MS),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(`the token endpoint answered ${response.status}: ${answer.error_description ?? answer.error}`);
  return answer;
}
