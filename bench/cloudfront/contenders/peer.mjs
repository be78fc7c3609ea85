// A viewer-request handler as a team would write it by hand around a JWT library; `verify` gives claims, at once or as a
// promise, or throws.

import { FIELD, bearer, isOurs, mayDo, routeOf } from '../../lib/rules.mjs';

const KEY = FIELD.toLowerCase();

export function handlerOn(verify) {
  return async (event) => {
    const { request } = event.Records[0].cf;
    const found = routeOf(request.method, request.uri);
    if (found === undefined) return refusal('404', 'Not Found');
    const token = bearer(request.headers.authorization?.[0].value);
    if (token === undefined) return refusal('401', 'Unauthorized');
    let claims;
    try {
      const verified = verify(token);
      // A turn of the event loop is for those who need one.
      claims = verified instanceof Promise ? await verified : verified;
    } catch {
      return refusal('401', 'Unauthorized');
    }
    return judged(request, found, claims);
  };
}

function judged(request, found, claims) {
  if (!isOurs(claims)) return refusal('401', 'Unauthorized');
  if (!mayDo(found, claims)) return refusal('403', 'Forbidden');
  request.headers[KEY] = [{ key: FIELD, value: found.route.name }];
  return request;
}

function refusal(status, statusDescription) {
  return {
    status,
    statusDescription,
    headers: {
      'content-type': [{ key: 'Content-Type', value: 'application/problem+json' }],
      'cache-control': [{ key: 'Cache-Control', value: 'no-store' }],
    },
    body: JSON.stringify({ type: 'about:blank', title: statusDescription, status: Number(status) }),
  };
}
