// The Worker that one writes on `jose`: keys fetched once and kept, the library's checks, the rest by hand.

import { createRemoteJWKSet, jwtVerify } from 'jose';

import { bearer, isOurs, mayDo, routeOf } from '../../lib/rules.mjs';
import { forbidden, unauthorized } from './answers.mjs';
import { forward, path } from './forward.mjs';

let keys;
let options;

export default {
  async fetch(request, { ISSUER, ORIGIN }) {
    const token = bearer(request.headers.get('authorization') ?? undefined);
    if (token === undefined) return unauthorized();
    keys ??= createRemoteJWKSet(new URL(`${ISSUER}/jwks`), { cacheMaxAge: Infinity });
    options ??= { issuer: ISSUER, algorithms: ['RS256'], requiredClaims: ['exp'] };
    let claims;
    try {
      claims = (await jwtVerify(token, keys, options)).payload;
    } catch {
      return unauthorized();
    }
    if (!isOurs(claims)) return unauthorized();
    const found = routeOf(request.method, path(request));
    return found !== undefined && mayDo(found, claims) ? forward(request, ORIGIN, found.route.name) : forbidden();
  },
};
