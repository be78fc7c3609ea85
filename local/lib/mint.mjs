// Tokens a test needs and no issuer would hand out: expired, for another audience, without `exp`, signed by a stranger.
// They carry an issuer's real signature wherever the request does not say otherwise, so that exactly one thing is wrong.

import * as crypto from 'node:crypto';

import { generateKey, sign } from './keys.mjs';

const LIFETIME_SECONDS = 3600;

// Keys that no issuer ever publishes, one per algorithm.
const strangers = new Map();

// RFC 8037's example, appendix A.1: sealed into the Worker that the tests build, and published by no issuer either.
const sealed = {
  kid: 'sealed',
  algorithm: 'EdDSA',
  privateKey: crypto.createPrivateKey({
    format: 'jwk',
    key: {
      kty: 'OKP',
      crv: 'Ed25519',
      d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
      x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
    },
  }),
};

/** A compact JWS; `request` is the body of `POST /mint`. */
export function mint(issuers, request) {
  const issuer = issuers[request.issuer];
  if (!issuer) throw new RangeError('`issuer` must be `partners` or `users`');
  const published = request.key === 'sealed' ? sealed : issuer.signingKey;
  const key = signingKey(issuers, issuer, request.key ?? 'current');

  const header = { alg: published.algorithm, typ: 'at+jwt', kid: published.kid, ...request.header };
  for (const name of request.removeHeader ?? []) delete header[name];
  const claims = { ...defaultClaims(issuer), ...request.claims };
  for (const name of request.remove ?? []) delete claims[name];

  const input = [request.rawHeader ?? JSON.stringify(header), request.rawClaims ?? JSON.stringify(claims)]
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.');
  return `${input}.${signature(key, input, request.signature ?? 'real').toString('base64url')}`;
}

function signingKey(issuers, issuer, which) {
  switch (which) {
    case 'current':
      return issuer.signingKey;
    case 'forged': {
      const { algorithm } = issuer.signingKey;
      if (!strangers.has(algorithm)) strangers.set(algorithm, generateKey(algorithm));
      return strangers.get(algorithm);
    }
    case 'sealed':
      return sealed;
    case 'other':
      return Object.values(issuers).find((other) => other !== issuer).signingKey;
    default:
      throw new RangeError('`key` must be `current`, `forged`, `sealed` or `other`');
  }
}

function signature(key, input, kind) {
  const real = sign(key, Buffer.from(input));
  switch (kind) {
    case 'real':
      return real;
    case 'empty':
      return Buffer.alloc(0);
    case 'zero':
      return Buffer.alloc(real.length);
    case 'bitflip':
      real[0] ^= 1;
      return real;
    default:
      throw new RangeError('`signature` must be `real`, `empty`, `zero` or `bitflip`');
  }
}

function defaultClaims({ name, url, config }) {
  const issuedAt = Math.floor(Date.now() / 1000);
  const subject = name === 'users'
    ? { sub: 'user-manager', username: 'user-manager', client_id: config.clients[0].client_id }
    : { sub: '1111', client_id: '1111' };
  return {
    token_use: 'access',
    jti: crypto.randomUUID(),
    ...subject,
    iat: issuedAt,
    exp: issuedAt + LIFETIME_SECONDS,
    scope: config.scopes.join(' '),
    iss: url,
    ...(config.sendsAudience ? { aud: config.resource } : undefined),
  };
}
