// The handler on aws-jwt-verify: `verifySync` once the keys are there, which the first event waits for.

import { JwtVerifier } from 'aws-jwt-verify';
import { SimpleJwksCache } from 'aws-jwt-verify/jwk';

import { handlerOn } from './peer.mjs';

// Its own fetcher speaks https alone, and what it is measured with is on loopback.
const fetcher = { fetch: async (uri) => (await fetch(uri)).arrayBuffer() };
const properties = { issuer: process.env.BENCH_ISSUER, audience: null, jwksUri: process.env.BENCH_JWKS };
const verifier = JwtVerifier.create(properties, { jwksCache: new SimpleJwksCache({ fetcher }) });
const decide = handlerOn((token) => verifier.verifySync(token));

let isReady = false;

export const handler = async (event) => {
  if (!isReady) {
    await verifier.hydrate();
    isReady = true;
  }
  return decide(event);
};
