// The rules of ../policy.toml as a team would write them by hand behind a JWT library: what the peers do besides verifying
// the token, so that they do the same work as Postern. What the library has checked itself is not checked again.

import { CLIENT } from './names.mjs';

const EITHER = ['Manager', 'Standard'];
const COMPANY = '([^/]+)';

const ROUTES = [
  route('orders-list', 'GET', `/companies/${COMPANY}/orders`, 'orders/list.orders', ['Manager']),
  route('orders-get', 'GET', `/companies/${COMPANY}/orders/[^/]+`, 'orders/get.order', EITHER),
  route('orders-create', 'POST', `/companies/${COMPANY}/orders`, 'orders/create.order', ['Manager']),
  route('users-orders-list', 'GET', `/companies/${COMPANY}/users/([^/]+)/orders`, 'orders/list.orders', EITHER),
  route('users-orders-get', 'GET', `/companies/${COMPANY}/users/([^/]+)/orders/[^/]+`, 'orders/get.order', EITHER),
  route('vouchers-validate', 'POST', `/companies/${COMPANY}/vouchers/[^/]+/validations`, 'vouchers/validate', ['Standard']),
];

/** The field that tells the origin which rule let the request through. */
export const FIELD = 'Postern-Route';

function route(name, method, path, scope, roles) {
  return { name, method, path: new RegExp(`^${path}$`), scope, roles };
}

/** The route of a request and its match, or `undefined`. */
export function routeOf(method, path) {
  for (const route of ROUTES) {
    if (route.method !== method) continue;
    const match = route.path.exec(path);
    if (match !== null) return { route, match };
  }
  return undefined;
}

/** The token in an `Authorization` field, or `undefined`. */
export function bearer(value) {
  if (value === undefined || value.length < 8) return undefined;
  return value.slice(0, 7).toLowerCase() === 'bearer ' ? value.slice(7) : undefined;
}

/** Whether a verified token is of this client, and an access token: 401 where it is not. */
export const isOurs = (claims) => claims.client_id === CLIENT && claims.token_use === 'access';

/** Whether who has these claims may do what `found` says. */
export function mayDo({ route, match }, claims) {
  if (!claims.scope.split(' ').includes(route.scope)) return false;
  if (match[2] !== undefined && match[2] !== claims.sub) return false;
  return claims.companies.includes(match[1]) && route.roles.includes(claims.role);
}
