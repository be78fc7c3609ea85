// A viewer's request as CloudFront reads it, and what CloudFront refuses before any function sees it
// («Request and response behavior for custom origins», «Quotas»).

import { randomBytes } from 'node:crypto';

import { errorAnswer } from './answers.mjs';
import { pairs, valueOf, without } from './headers.mjs';

const URL_LIMIT = 8192;
const HEAD_LIMIT = 32_768;
/** A test names its request by this field, which goes no further. */
const REQUEST_ID = 'stand-in-request-id';

/** The request in octets, its body not yet read. */
export function read(incoming) {
  const all = pairs(incoming.rawHeaders);
  const at = incoming.url.indexOf('?');
  return {
    requestId: valueOf(all, REQUEST_ID) ?? `${randomBytes(39).toString('base64url')}==`,
    clientIp: incoming.socket.remoteAddress,
    method: incoming.method,
    target: incoming.url,
    uri: at < 0 ? incoming.url : incoming.url.slice(0, at),
    querystring: at < 0 ? '' : incoming.url.slice(at + 1),
    headers: without(all, (name) => name === REQUEST_ID),
    hasBody: Number(valueOf(all, 'content-length') ?? 0) > 0 || valueOf(all, 'transfer-encoding') !== undefined,
  };
}

/** CloudFront's own refusal, if it has one. */
export function refusal(request, behaviour) {
  if (!request.target.startsWith('/') || request.target.includes('#')) return refuse(400, 'Bad Request', 'Bad request.');
  const head = request.headers.reduce((sum, [name, value]) => sum + name.length + value.length + 4, request.target.length);
  if (request.target.length > URL_LIMIT || head > HEAD_LIMIT) {
    return refuse(413, 'Request Entity Too Large', 'The request is longer than CloudFront takes.');
  }
  if (!behaviour.methods.has(request.method)) {
    return refuse(403, 'Forbidden', 'This distribution is not configured to allow the HTTP request method that was used for this request.');
  }
  if (['GET', 'HEAD'].includes(request.method) && request.hasBody) return refuse(403, 'Forbidden', 'Bad request.');
  return undefined;
}

/**
 * Reads as much of a body as a function is shown, and one octet more, which tells whether that is all. The rest is still
 * to come from `incoming`.
 */
export async function peek(incoming, limit) {
  const chunks = [];
  let size = 0;
  for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > limit) break;
  }
  if (incoming.errored || (incoming.readableAborted && !incoming.complete)) throw new Error('the viewer has gone');
  return Buffer.concat(chunks);
}

function refuse(status, description, detail) {
  return errorAnswer(status, description, 'Error', detail);
}
