// The handler on jose, with its remote key set, which it fetches at the first token and keeps.

import { createRemoteJWKSet, jwtVerify } from 'jose';

import { handlerOn } from './peer.mjs';

const issuer = process.env.BENCH_ISSUER;
const keys = createRemoteJWKSet(new URL(process.env.BENCH_JWKS));
const options = { issuer, algorithms: ['RS256'], requiredClaims: ['exp', 'sub'] };

export const handler = handlerOn(async (token) => (await jwtVerify(token, keys, options)).payload);
