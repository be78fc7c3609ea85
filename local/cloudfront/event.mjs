// Events as CloudFront makes them («Lambda@Edge event structure»), from a request that has been read.

import { without, toLists, toText } from './headers.mjs';
import { isDisallowed } from './restrictions.mjs';

/** What an event shows of a body («Restrictions on the request body with the include body option»). */
export const BODY_LIMIT = { 'viewer-request': 40 * 1024, 'origin-request': 1024 * 1024 };

/** `request`: `{ clientIp, method, uri, querystring, headers: pairs, body?, inputTruncated? }`, in octets. */
export function requestRecord(distribution, eventType, requestId, request, { includeBody = false, origin } = {}) {
  const record = {
    config: { distributionDomainName: distribution.domainName, distributionId: distribution.id, eventType, requestId },
    request: {
      clientIp: request.clientIp,
      headers: visible(request.headers),
      method: request.method,
      querystring: toText(request.querystring),
      uri: toText(request.uri),
    },
  };
  if (includeBody && request.body !== undefined) {
    const limit = BODY_LIMIT[eventType];
    record.request.body = {
      action: 'read-only',
      data: request.body.subarray(0, limit).toString('base64'),
      encoding: 'base64',
      inputTruncated: request.body.length > limit,
    };
  }
  if (origin) record.request.origin = { custom: customOrigin(origin) };
  return record;
}

export function responseRecord(distribution, eventType, requestId, request, response) {
  const record = requestRecord(distribution, eventType, requestId, request);
  record.response = {
    headers: visible(response.headers),
    status: String(response.status),
    statusDescription: response.statusDescription,
  };
  return record;
}

function customOrigin(origin) {
  return {
    customHeaders: toLists(origin.customHeaders),
    domainName: origin.domainName,
    keepaliveTimeout: origin.keepaliveTimeout,
    path: origin.path,
    port: origin.port,
    protocol: 'http',
    readTimeout: origin.readTimeout,
    sslProtocols: origin.sslProtocols,
  };
}

/** Disallowed fields are not exposed to functions. */
function visible(fields) {
  return toLists(without(fields, isDisallowed).map(([key, value]) => [key, toText(value)]));
}
