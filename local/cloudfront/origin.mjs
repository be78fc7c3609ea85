// The way to an origin: the fields that go there, the signature of origin access control, the exchange itself.

import * as http from 'node:http';

import { sign } from '../lib/sigv4.mjs';
import { pairs, valueOf, without } from './headers.mjs';
import { isDisallowed } from './restrictions.mjs';

/** Framing and hop-by-hop fields, which each connection has of its own. */
const OF_THE_CONNECTION = new Set(['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'expect']);
/** Fields in which a client says nothing that an origin may hear («HTTP request headers and CloudFront behavior»). */
const REMOVED = new Set(['proxy-authenticate', 'proxy-authorization', 'x-forwarded-proto', 'x-real-ip']);

export class OriginError extends Error {}

/** Sends a request on and answers the origin's head with its body as a stream. */
export async function forward(request, { origin, keepsHost, access }) {
  const target = `${origin.path}${request.uri}${request.querystring === '' ? '' : `?${request.querystring}`}`;
  const host = keepsHost ? valueOf(request.headers, 'host') : authority(origin);
  const gone = (name) => name === 'host' || OF_THE_CONNECTION.has(name) || REMOVED.has(name) || name.startsWith('x-edge-') || isDisallowed(name);
  let fields = [['Host', host], ...without(request.headers, gone)];
  fields = appended(fields, 'X-Forwarded-For', request.clientIp, ',');
  fields = appended(fields, 'Via', '1.1 stand-in.cloudfront.net (CloudFront)', ', ');
  fields.push(['X-Amz-Cf-Id', request.requestId], ...origin.customHeaders);
  if (origin.signs) fields = await signed(fields, request, target, access);
  return exchange(origin, request, target, fields);
}

function authority({ domainName, port }) {
  return port === 80 ? domainName : `${domainName}:${port}`;
}

function appended(fields, name, value, separator) {
  const present = fields.filter(([key]) => key.toLowerCase() === name.toLowerCase()).map(([, text]) => text);
  return [...without(fields, (key) => key === name.toLowerCase()), [name, [...present, value].join(separator)]];
}

/**
 * Origin access control with «always sign»: the caller's `Authorization` is replaced. CloudFront reads no body for it, so
 * what is signed is the digest that came, and nothing where none did.
 */
async function signed(fields, request, target, { credentials, region }) {
  const theirs = without(fields, (name) => ['authorization', 'x-amz-date', 'x-amz-security-token'].includes(name));
  const digest = valueOf(theirs, 'x-amz-content-sha256');
  const headers = { host: valueOf(theirs, 'host') };
  for (const [name, value] of theirs) if (name.toLowerCase().startsWith('x-amz-')) headers[name.toLowerCase()] = value;
  if (digest !== undefined) headers['x-amz-content-sha256'] = digest;
  const added = await sign({ method: request.method, target, headers, body: '' }, { credentials, region, service: 'lambda' });
  return [...theirs, ...Object.entries(added)];
}

function exchange(origin, request, target, fields) {
  return new Promise((resolve, reject) => {
    const sent = http.request({
      host: origin.domainName,
      port: origin.port,
      method: request.method,
      path: target,
      headers: [...fields, ['Connection', 'close'], ...framing(request)].flat(),
      setHost: false,
      agent: false,
      timeout: origin.readTimeout * 1000,
    });
    sent.on('timeout', () => sent.destroy(new OriginError('the origin does not answer')));
    sent.on('error', (error) => reject(new OriginError(error.message)));
    sent.on('response', (answer) => {
      const gone = (name) => OF_THE_CONNECTION.has(name) || name === 'x-cache';
      resolve({
        status: answer.statusCode,
        statusDescription: answer.statusMessage,
        headers: without(pairs(answer.rawHeaders), gone),
        stream: answer,
      });
    });
    request.onClose(() => sent.destroy());
    if (request.sendBody) request.sendBody(sent);
    else sent.end();
  });
}

/** `content-length` has come along as a field; a body without one comes in pieces. */
function framing(request) {
  const stated = valueOf(request.headers, 'content-length') !== undefined;
  return request.sendBody && !stated ? [['Transfer-Encoding', 'chunked']] : [];
}
