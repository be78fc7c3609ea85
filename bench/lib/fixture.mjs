// What is measured is measured with: one issuer's key, and as many access tokens of it as are wanted, Cognito's shape
// with companies and a role of the tenant's own. Made anew for each run; a key that is kept is a key that leaks.

import * as crypto from 'node:crypto';

import { CLIENT, COMPANY, SCOPE } from './names.mjs';

export * from './names.mjs';

const LIFETIME_SECONDS = 3 * 3600;

/** An issuer at `url`: its JWK set, and `token(n)`, a different valid token for each n, with `changes` to its claims. */
export function issuer(url) {
  const { privateKey, publicKey } = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
  const kid = crypto.randomUUID();
  const header = part({ kid, alg: 'RS256' });
  const now = Math.floor(Date.now() / 1000);
  const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' }] };
  const token = (n, changes) => {
    const subject = `b0a1c2d3-0000-4000-8000-${String(n).padStart(12, '0')}`;
    const input = `${header}.${part({ ...claims(url, subject, now), ...changes })}`;
    return `${input}.${crypto.sign('sha256', Buffer.from(input), privateKey).toString('base64url')}`;
  };
  return { url, jwks, token };
}

function claims(iss, sub, now) {
  return {
    sub,
    iss,
    version: 2,
    client_id: CLIENT,
    origin_jti: crypto.randomUUID(),
    event_id: crypto.randomUUID(),
    token_use: 'access',
    scope: `${SCOPE} orders/list.orders orders/create.order`,
    auth_time: now - 60,
    exp: now + LIFETIME_SECONDS,
    iat: now - 60,
    jti: crypto.randomUUID(),
    username: sub,
    companies: [COMPANY, '2222', '3333'],
    role: 'Manager',
  };
}

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
