// What CloudFront takes back from a Lambda@Edge function, line by line from AWS's pages; whatever else comes back is a
// «Lambda validation error», and the viewer is answered 502.
//
// Pages, of the CloudFront developer guide: `edge-function-restrictions-all`, `lambda-at-edge-function-restrictions`,
// `lambda-event-structure`, `lambda-generating-http-responses`, `lambda-updating-http-responses`, `cloudfront-limits`.

import { isDeepStrictEqual } from 'node:util';

export class ValidationError extends Error {}

const DISALLOWED = new Set([
  'connection', 'expect', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'trailer',
  'upgrade', 'x-accel-buffering', 'x-accel-charset', 'x-accel-limit-rate', 'x-accel-redirect', 'x-amzn-auth',
  'x-amzn-cf-billing', 'x-amzn-cf-id', 'x-amzn-cf-xff', 'x-amzn-errortype', 'x-amzn-fle-profile', 'x-amzn-header-count',
  'x-amzn-header-order', 'x-amzn-lambda-integration-tag', 'x-amzn-requestid', 'x-cache', 'x-forwarded-proto', 'x-real-ip',
]);
const DISALLOWED_PREFIXES = ['x-amz-cf-', 'x-edge-'];

export const READ_ONLY = {
  'viewer-request': ['content-length', 'host', 'transfer-encoding', 'via'],
  'origin-request': [
    'accept-encoding', 'content-length', 'if-modified-since', 'if-none-match', 'if-range', 'if-unmodified-since',
    'transfer-encoding', 'via',
  ],
  'origin-response': ['transfer-encoding', 'via'],
  'viewer-response': ['warning', 'via'],
};

/** Fewer characters than this in a URI with its query string. */
const URI_LIMIT = 8192;
const GENERATED_LIMIT = { viewer: 40 * 1024, origin: 1024 * 1024 };
/** What is left of a body that a function replaces. */
const REPLACED_LIMIT = {
  'viewer-request': { text: 40 * 1024, base64: Math.floor(53.2 * 1024) },
  'origin-request': { text: 1024 * 1024, base64: Math.floor(1.33 * 1024 * 1024) },
};
const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export function isDisallowed(name) {
  return DISALLOWED.has(name) || DISALLOWED_PREFIXES.some((prefix) => name.startsWith(prefix));
}

/**
 * What a function returned for the event whose `cf` record is `sent`: `{ request }` or `{ response }`, as it stands.
 *
 * Throws a `ValidationError` where CloudFront would not take it.
 */
export function accept(sent, result) {
  const { eventType } = sent.config;
  demand(isObject(result), 'the function returned no object');
  if (eventType.endsWith('-response')) return { response: acceptResponse(sent, result) };
  if (result.status !== undefined) return { response: acceptGenerated(sent, result) };
  return { request: acceptRequest(sent, result) };
}

function acceptRequest(sent, result) {
  const { eventType } = sent.config;
  demand(result.method === sent.request.method, 'the method is read-only');
  demand(result.clientIp === undefined || result.clientIp === sent.request.clientIp, '`clientIp` is read-only');
  demand(typeof result.uri === 'string' && result.uri.startsWith('/'), '`uri` must begin with a slash');
  demand(result.querystring === undefined || typeof result.querystring === 'string', '`querystring` must be a string');
  const querystring = result.querystring ?? '';
  for (const [name, text] of [['uri', result.uri], ['querystring', querystring]]) {
    demand(!/[\u0000-\u0020\u007f#]/.test(text), `\`${name}\` must hold no space, control character or fragment`);
  }
  const size = result.uri.length + (querystring === '' ? 0 : querystring.length + 1);
  demand(size < URI_LIMIT, 'the URI with its query string must be shorter than 8,192 characters');
  acceptHeaders(result.headers);
  demandReadOnly(READ_ONLY[eventType], sent.request.headers, result.headers);
  const country = 'cloudfront-viewer-country';
  if (eventType === 'viewer-request' && !(country in sent.request.headers)) {
    demand(!(country in result.headers), 'a viewer request function must not add `CloudFront-Viewer-Country`');
  }
  if (result.body !== undefined) acceptBody(eventType, result.body);
  if (result.origin !== undefined && eventType === 'origin-request') acceptOrigin(sent.request.origin, result.origin);
  return { ...result, querystring };
}

function acceptBody(eventType, body) {
  demand(isObject(body), '`body` must be an object');
  demand(['read-only', 'replace'].includes(body.action), '`body.action` must be `read-only` or `replace`');
  if (body.action === 'read-only') return;
  demand(['base64', 'text'].includes(body.encoding), '`body.encoding` must be `base64` or `text`');
  demand(typeof body.data === 'string', '`body.data` must be a string');
  body.data = body.data.slice(0, REPLACED_LIMIT[eventType][body.encoding]);
  demand(body.encoding === 'text' || BASE64.test(body.data.slice(0, body.data.length - (body.data.length % 4))), '`body.data` is not base64');
}

function acceptOrigin(sent, origin) {
  demand(isObject(origin), '`origin` must be an object');
  demand(!(origin.custom && origin.s3), 'an origin is either custom or Amazon S3, not both');
  const { custom } = origin;
  demand(isObject(custom), 'only custom origins are known here');
  // The distribution's own origins are loopback addresses here, which CloudFront would not take from a function.
  if (custom.domainName !== sent.custom.domainName) {
    demand(typeof custom.domainName === 'string' && custom.domainName !== '', '`domainName` cannot be empty');
    demand(!custom.domainName.includes(':'), '`domainName` cannot include a colon');
    demand(!/^\d+(\.\d+){3}$/.test(custom.domainName), '`domainName` cannot be an IPv4 address');
    demand(custom.domainName.length <= 253, '`domainName` can have 253 characters at most');
  }
  demand(typeof custom.path === 'string' && custom.path.length <= 255, '`path` can have 255 characters at most');
  demand(custom.path === '' || (custom.path.startsWith('/') && !custom.path.endsWith('/')), '`path` begins with a slash and ends with none');
  const port = custom.port;
  demand(port === 80 || port === 443 || (Number.isInteger(port) && port >= 1024 && port <= 65535), '`port` is 80, 443 or 1024 to 65535');
  demand(['http', 'https'].includes(custom.protocol), '`protocol` is `http` or `https`');
  demand(within(custom.keepaliveTimeout, 1, 60), '`keepaliveTimeout` is 1 to 60 seconds');
  demand(within(custom.readTimeout, 4, 60), '`readTimeout` is 4 to 60 seconds');
  const protocols = ['TLSv1.2', 'TLSv1.1', 'TLSv1', 'SSLv3'];
  demand(Array.isArray(custom.sslProtocols) && custom.sslProtocols.every((name) => protocols.includes(name)), '`sslProtocols` holds an unknown protocol');
  acceptHeaders(custom.customHeaders);
}

function acceptGenerated(sent, result) {
  const { eventType } = sent.config;
  demandStatus(result.status);
  acceptContent(result, GENERATED_LIMIT[eventType.split('-')[0]]);
  acceptHeaders(result.headers ?? {});
  // None of these has come with a response that does not exist yet, so each is one that the function has added.
  demandReadOnly(READ_ONLY[eventType], {}, result.headers ?? {});
  return result;
}

function acceptResponse(sent, result) {
  const { eventType } = sent.config;
  demandStatus(result.status);
  if (eventType === 'viewer-response') {
    demand(String(result.status) === sent.response.status, 'the status is read-only in viewer responses');
  }
  acceptContent(result, GENERATED_LIMIT[eventType.split('-')[0]]);
  acceptHeaders(result.headers);
  demandReadOnly(READ_ONLY[eventType], sent.response.headers, result.headers);
  return result;
}

function demandStatus(status) {
  demand(/^\d{3}$/.test(String(status)), '`status` is no number of three digits');
  demand(within(Number(status), 200, 599), '`status` is 200 to 599');
}

function acceptContent(result, limit) {
  const { body, bodyEncoding = 'text' } = result;
  demand(result.statusDescription === undefined || typeof result.statusDescription === 'string', '`statusDescription` must be a string');
  demand(['text', 'base64'].includes(bodyEncoding), '`bodyEncoding` is `text` or `base64`');
  if (body === undefined) return;
  demand(typeof body === 'string', '`body` must be a string');
  demand(bodyEncoding === 'text' || BASE64.test(body), '`body` is not base64');
  demand(String(result.status) !== '204' || body === '', 'a response with status 204 has no body');
  const headers = isObject(result.headers) ? Object.values(result.headers).flat() : [];
  const size = headers.reduce((sum, field) => sum + String(field?.key).length + String(field?.value).length, Buffer.byteLength(body));
  demand(size <= limit, `the response has ${size} octets, of at most ${limit}`);
}

function acceptHeaders(headers) {
  demand(isObject(headers), '`headers` must be an object');
  for (const [name, list] of Object.entries(headers)) {
    demand(TOKEN.test(name), `\`${name}\` is no header's name in lower case`);
    demand(!isDisallowed(name), `\`${name}\` is a disallowed header`);
    demand(Array.isArray(list), `\`${name}\`: each header entry must be an array`);
    for (const entry of list) {
      demand(isObject(entry), `\`${name}\`: each entry must be an object`);
      demand(typeof entry.key === 'string' && entry.key.toLowerCase() === name, `\`${name}\`: \`key\` must be the same name`);
      demand(typeof entry.value === 'string', `\`${name}\`: \`value\` must be a string`);
      demand(!/[\u0000-\u0008\u000a-\u001f\u007f]/.test(entry.value), `\`${name}\`: \`value\` holds a control character`);
    }
  }
}

function demandReadOnly(names, before, after) {
  for (const name of names) {
    const values = (lists) => (lists[name] ?? []).map(({ value }) => value);
    demand(isDeepStrictEqual(values(before), values(after)), `\`${name}\` is read-only: the function added, deleted or changed it`);
  }
}

function within(number, least, most) {
  return typeof number === 'number' && number >= least && number <= most;
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function demand(holds, message) {
  if (!holds) throw new ValidationError(message);
}
