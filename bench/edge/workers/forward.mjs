// What every Worker in JavaScript that is measured has in common: the request goes on to the origin with one field set.

import { FIELD } from '../../lib/rules.mjs';

/** `request` as it came, at the origin, with the route's name for its log. */
export function forward(request, origin, route) {
  const forwarded = new Request(origin + target(request), request);
  forwarded.headers.set(FIELD, route);
  return fetch(forwarded);
}

/** Path and query as they came. */
export const target = ({ url }) => url.slice(url.indexOf('/', 'https://'.length));

/** The path alone. */
export const path = (request) => target(request).split('?', 1)[0];
