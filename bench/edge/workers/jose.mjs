// The Worker that one writes on `jose`: keys fetched once and kept, the library's checks, the rest by hand.

import { createRemoteJWKSet, jwtVerify } from 'jose';

import { forward, target } from './forward.mjs';
import { bearer, forbidden, route, unauthorized } from './rules.mjs';

let keys;
let options;

export default {
  async fetch(request, { ISSUER, ORIGIN }) {
    const token = bearer(request);
    if (token === undefined) return unauthorized();
    keys ??= createRemoteJWKSet(new URL(`${ISSUER}/jwks`), { cacheMaxAge: Infinity });
    options ??= { issuer: ISSUER, algorithms: ['RS256'], requiredClaims: ['exp'] };
    let claims;
    try {
      claims = (await jwtVerify(token, keys, options)).payload;
    } catch {
      return unauthorized();
    }
    const name = route(request.method, target(request), claims);
    return name === undefined ? forbidden() : forward(request, ORIGIN, name);
  },
};
