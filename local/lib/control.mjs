// The control API of the local stack: how a test rotates a key, breaks a key set, cuts a line, writes a permission or
// asks for a token. Plain JSON over loopback HTTP, started with the stack only; it is no part of what is deployed.

import { serveJson } from './listen.mjs';
import { clientCredentials, logIn } from './login.mjs';
import { mint } from './mint.mjs';

/** `parts`: `{ issuers, relays, table, redirectUri }`. */
export async function startControl(port, parts) {
  const routes = controlRoutes(parts);
  await serveJson(port, (method, url) => {
    const path = url.split('?')[0];
    for (const [own, pattern, action] of routes) {
      const match = pattern.exec(path);
      if (match && own === method) return (body) => action(body, ...match.slice(1).map(decodeURIComponent));
    }
    return `no such route: ${method} ${path}`;
  });
}

function controlRoutes({ issuers, relays, table, redirectUri }) {
  const named = (things, name) => {
    if (!Object.hasOwn(things, name)) throw new RangeError(`no such name \`${name}\`, there are ${Object.keys(things).join(', ')}`);
    return things[name];
  };
  return [
    ['GET', /^\/$/, () => ({ ok: true })],
    ['POST', /^\/token$/, (body) => token(named(issuers, body.issuer), redirectUri, body)],
    ['POST', /^\/mint$/, (body) => ({ token: mint(issuers, body) })],
    ['POST', /^\/forge$/, (body) => ({ token: mint(issuers, { ...body, key: 'forged' }) })],
    ['GET', /^\/issuers\/([^/]+)$/, (_body, name) => named(issuers, name).describe()],
    ['POST', /^\/issuers\/([^/]+)\/rotate$/, (body, name) => named(issuers, name).rotate(body.kind, body.algorithm)],
    ['POST', /^\/issuers\/([^/]+)\/withdraw$/, (body, name) => named(issuers, name).withdraw(body.kid)],
    ['POST', /^\/issuers\/([^/]+)\/jwks$/, (body, name) => named(issuers, name).setJwks(body)],
    ['GET', /^\/relays\/([^/]+)$/, (_body, name) => named(relays, name).describe()],
    ['POST', /^\/relays\/([^/]+)$/, (body, name) => named(relays, name).set(body)],
    ['POST', /^\/permissions\/reset$/, () => table.reset()],
    ['GET', /^\/permissions\/([^/]+)$/, async (_body, id) => ({ record: await table.read(id) })],
    ['PUT', /^\/permissions\/([^/]+)$/, (body, id) => table.put({ ...body, id })],
    ['DELETE', /^\/permissions\/([^/]+)$/, (_body, id) => table.remove(id)],
    ['POST', /^\/reset$/, async () => {
      for (const issuer of Object.values(issuers)) await issuer.reset();
      for (const relay of Object.values(relays)) await relay.set({ mode: 'open' });
      await table.reset();
    }],
  ];
}

async function token(issuer, redirectUri, { client, account, scope }) {
  const { resource, scopes, clients } = issuer.config;
  if (issuer.name === 'users') {
    if (!account) throw new RangeError('`account` is missing');
    return logIn({
      issuer: issuer.url,
      clientId: clients[0].client_id,
      redirectUri,
      resource,
      scope: scope ?? ['openid', ...scopes].join(' '),
      account,
    });
  }
  const known = clients.find(({ client_id }) => client_id === client);
  if (!known) throw new RangeError(`no such \`client\`, there are ${clients.map(({ client_id }) => client_id).join(', ')}`);
  return clientCredentials({
    issuer: issuer.url,
    clientId: known.client_id,
    clientSecret: known.client_secret,
    resource,
    scope: scope ?? known.scope,
  });
}
