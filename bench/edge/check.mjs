// Before anything is measured: each contender decides as it should, and what it permits reaches the origin with its
// field. A contender that lets everything through, or nothing, would be quick.

import * as http from 'node:http';

import { COMPANY, SCOPE, TARGET } from '../lib/names.mjs';
import { fieldsWith } from './load.mjs';

const ECHO = `/companies/${COMPANY}/orders/echo`;
const NO_AUTHORISATION = 'no authorisation';

/** One GET; the status and the text of the answer. */
export function get(base, target, headers) {
  return new Promise((resolve, reject) => {
    const request = http.get(base + target, { headers, agent: false }, (response) => {
      response.setEncoding('utf8');
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode, text }));
      response.on('error', reject);
    });
    request.on('error', reject);
  });
}

/** Throws if the contender at `base` decides wrongly. The first request also has it fetch the issuer's keys. */
export async function check({ name, base, field }, issuer) {
  const expect = async (what, token, target, ...statuses) => {
    const found = await get(base, target, token === undefined ? {} : fieldsWith(token));
    if (!statuses.includes(found.status)) {
      throw new Error(`${name}: ${what} is answered with ${found.status}, not with ${statuses.join(' or ')}`);
    }
    return found.text;
  };
  const good = issuer.token(0);
  const seen = JSON.parse(await expect('a good token', good, ECHO, 200));
  if (!seen.includes(field)) throw new Error(`${name}: the origin did not see \`${field}\`, but ${seen.join(', ')}`);
  if (name.startsWith(NO_AUTHORISATION)) return;

  const now = Math.floor(Date.now() / 1000);
  const forged = good.slice(0, good.lastIndexOf('.') + 1) + issuer.token(1).split('.')[2];
  await expect('no token', undefined, TARGET, 401);
  await expect('a signature that is of another token', forged, TARGET, 401);
  await expect('a token that has expired', issuer.token(0, { exp: now - 300 }), TARGET, 401);
  await expect('a token of another issuer', issuer.token(0, { iss: `${issuer.url}/other` }), TARGET, 401);
  await expect('an ID token', issuer.token(0, { token_use: 'id' }), TARGET, 401, 403);
  await expect('a token of another client', issuer.token(0, { client_id: 'other' }), TARGET, 401, 403);
  await expect('a token without the scope', issuer.token(0, { scope: `${SCOPE}s` }), TARGET, 403);
  await expect('a token of another company', issuer.token(0, { companies: ['2222'] }), TARGET, 403);
  await expect('a role that may not', issuer.token(0, { role: 'Guest' }), TARGET, 403);
}
