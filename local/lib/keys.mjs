// Signing keys of the local issuers: RS256, ES256 and EdDSA (RFC 7518, RFC 8037), each with its own random `kid`.
// Kept in memory only; a new run has new keys.

import * as crypto from 'node:crypto';

const GENERATE = {
  RS256: () => crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: () => crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: () => crypto.generateKeyPairSync('ed25519'),
};

export const ALGORITHMS = Object.keys(GENERATE);

/** A new key: `{ kid, algorithm, privateKey }`. */
export function generateKey(algorithm) {
  const generate = GENERATE[algorithm];
  if (!generate) throw new RangeError(`unknown algorithm \`${algorithm}\`, expected one of ${ALGORITHMS.join(', ')}`);
  return { kid: crypto.randomUUID(), algorithm, privateKey: generate().privateKey };
}

/** The JWK with its private part, as the provider's key store takes it. */
export function privateJwk({ kid, algorithm, privateKey }) {
  return { ...privateKey.export({ format: 'jwk' }), kid, alg: algorithm, use: 'sig' };
}

/** The JWK that is published. */
export function publicJwk({ kid, algorithm, privateKey }) {
  const jwk = crypto.createPublicKey(privateKey).export({ format: 'jwk' });
  return { ...jwk, kid, alg: algorithm, use: 'sig' };
}

/** The signature of `input` in the form a JWS carries. */
export function sign({ algorithm, privateKey }, input) {
  switch (algorithm) {
    case 'RS256':
      return crypto.sign('sha256', input, privateKey);
    case 'ES256':
      return crypto.sign('sha256', input, { key: privateKey, dsaEncoding: 'ieee-p1363' });
    default:
      return crypto.sign(null, input, privateKey);
  }
}
