// The Worker that one writes on `aws-jwt-verify`: keys fetched once and kept, the library's checks, the rest by hand.

import { JwtVerifier } from 'aws-jwt-verify';

import { bearer, isOurs, mayDo, routeOf } from '../../lib/rules.mjs';
import { forbidden, unauthorized } from './answers.mjs';
import { forward, path } from './forward.mjs';

let verifier;

export default {
  async fetch(request, { ISSUER, ORIGIN }) {
    const token = bearer(request.headers.get('authorization') ?? undefined);
    if (token === undefined) return unauthorized();
    // The tokens of a user pool have no audience; `client_id` is looked at with the other rules.
    verifier ??= JwtVerifier.create({ issuer: ISSUER, audience: null, jwksUri: `${ISSUER}/jwks` });
    let claims;
    try {
      claims = await verifier.verify(token);
    } catch {
      return unauthorized();
    }
    if (!isOurs(claims)) return unauthorized();
    const found = routeOf(request.method, path(request));
    return found !== undefined && mayDo(found, claims) ? forward(request, ORIGIN, found.route.name) : forbidden();
  },
};
