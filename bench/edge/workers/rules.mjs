// The rules of ../../policy.toml for its route `orders-get`, as one writes them by hand behind a library that checks
// signature, issuer and expiry.

import { CLIENT, SCOPE } from '../../lib/names.mjs';

const PATH = /^\/companies\/([^/]+)\/orders\/([^/]+)$/;
const ROLES = ['Manager', 'Standard'];

/** The name of the route that lets these claims through, if one does. */
export function route(method, target, claims) {
  const path = PATH.exec(target.split('?', 1)[0]);
  const permitted =
    path !== null &&
    method === 'GET' &&
    claims.client_id === CLIENT &&
    claims.token_use === 'access' &&
    claims.scope.split(' ').includes(SCOPE) &&
    claims.companies.includes(decodeURIComponent(path[1])) &&
    ROLES.includes(claims.role);
  return permitted ? 'orders-get' : undefined;
}

/** The token of a request, if it has one. */
export function bearer(request) {
  const authorization = request.headers.get('authorization');
  return authorization?.startsWith('Bearer ') ? authorization.slice('Bearer '.length) : undefined;
}

export const unauthorized = () => new Response(null, { status: 401, headers: { 'www-authenticate': 'Bearer' } });
export const forbidden = () => new Response(null, { status: 403 });
