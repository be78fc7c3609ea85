// The Worker that one writes on `aws-jwt-verify`: keys fetched once and kept, the library's checks, the rest by hand.

import { JwtVerifier } from 'aws-jwt-verify';

import { forward, target } from './forward.mjs';
import { bearer, forbidden, route, unauthorized } from './rules.mjs';

let verifier;

export default {
  async fetch(request, { ISSUER, ORIGIN }) {
    const token = bearer(request);
    if (token === undefined) return unauthorized();
    // The tokens of a user pool have no audience; `client_id` is looked at with the other rules.
    verifier ??= JwtVerifier.create({ issuer: ISSUER, audience: null, jwksUri: `${ISSUER}/jwks` });
    let claims;
    try {
      claims = await verifier.verify(token);
    } catch {
      return unauthorized();
    }
    const name = route(request.method, target(request), claims);
    return name === undefined ? forbidden() : forward(request, ORIGIN, name);
  },
};
