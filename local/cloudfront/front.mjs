// The front: what happens to one viewer's request, from its octets to the answer's.
//
//     viewer ─▶ behaviour ─▶ viewer-request ─▶ origin-request ─▶ origin ─▶ origin-response ─▶ viewer-response ─▶ viewer
//
// There is no cache: the distributions that are served here have caching off.

import * as http from 'node:http';

import { listen } from '../lib/listen.mjs';
import { errorAnswer, write } from './answers.mjs';
import { ExecutionError } from './containers.mjs';
import { BODY_LIMIT, requestRecord, responseRecord } from './event.mjs';
import { fromLists, toOctets, toText, without } from './headers.mjs';
import { forward, OriginError } from './origin.mjs';
import { accept, isDisallowed, ValidationError } from './restrictions.mjs';
import { peek, read, refusal } from './viewer.mjs';

/** «Quotas on Lambda@Edge»: the function's timeout, by who triggers it. */
const TIMEOUT_MS = { viewer: 5_000, origin: 30_000 };
/** Node's own bound on a head, above CloudFront's, which answers otherwise. */
const MAX_HEADER_SIZE = 128 * 1024;

/** An answer that ends the way of a request early. */
class Ended extends Error {
  constructor(answer) {
    super('ended');
    this.answer = answer;
  }
}

export class Front {
  #containers;
  #access;

  /** `access`: what origin access control signs with. */
  constructor({ distribution, containers, access }) {
    this.distribution = distribution;
    this.#containers = containers;
    this.#access = access;
    this.forget();
  }

  forget() {
    /** What CloudFront would not have taken from the function, and why. */
    this.refused = [];
    /** Events to which the function had no answer, and why. */
    this.failed = [];
  }

  async listen(port) {
    const server = http.createServer({ maxHeaderSize: MAX_HEADER_SIZE }, (incoming, response) => {
      const request = read(incoming);
      this.#serve(request, incoming, response).then(
        (answer) => write(response, answer, request.requestId, request.method),
        (error) => {
          if (error instanceof Ended) return write(response, error.answer, request.requestId, request.method);
          // The viewer has gone in the middle of a body, or this program is at fault.
          if (!incoming.destroyed) console.error(error);
          return response.destroy();
        },
      );
    });
    await listen(server, port);
    return server;
  }

  async #serve(viewed, incoming, response) {
    // One distribution for the whole of a request, whatever a test changes meanwhile.
    const { distribution } = this;
    const behaviour = distribution.behaviourFor(toText(viewed.uri));
    const refused = refusal(viewed, behaviour);
    if (refused) return refused;
    const run = (eventType, record) => this.#run(eventType, record, viewed.requestId);
    let request = { ...viewed, ...(await withBody(viewed, incoming, response, behaviour)) };
    request = await onRequest('viewer-request', request, behaviour, distribution, run);
    request = await onRequest('origin-request', request, behaviour, distribution, run);
    let answer = await this.#exchange(request, behaviour);
    answer = await onResponse('origin-response', request, answer, behaviour, distribution, run);
    // Not run for errors of the origin's («HTTP status codes»).
    return answer.status >= 400 ? answer : onResponse('viewer-response', request, answer, behaviour, distribution, run);
  }

  async #exchange(request, behaviour) {
    try {
      const answer = await forward(request, { origin: request.origin ?? behaviour.origin, keepsHost: behaviour.keepsHost, access: this.#access });
      return { ...answer, result: answer.status >= 400 ? 'Error' : 'Miss' };
    } catch (error) {
      if (!(error instanceof OriginError)) throw error;
      throw new Ended(errorAnswer(502, 'Bad Gateway', 'Error', 'CloudFront wasn’t able to connect to the origin.'));
    }
  }

  /** Runs the function on one record and takes back what CloudFront would. */
  async #run(eventType, record, requestId) {
    try {
      const event = { Records: [{ cf: record }] };
      const result = await this.#containers.invoke(event, requestId, TIMEOUT_MS[eventType.split('-')[0]]);
      return accept(record, result);
    } catch (error) {
      if (error instanceof ValidationError) {
        this.refused.push(`${eventType}: ${error.message}`);
        console.log(`cloudfront: ${eventType}: LambdaValidationError: ${error.message}`);
        throw new Ended(errorAnswer(502, 'Bad Gateway', 'LambdaValidationError', `The Lambda function result failed validation: ${error.message}.`));
      }
      if (error instanceof ExecutionError) {
        this.failed.push(`${eventType}: ${error.message}`);
        console.log(`cloudfront: ${eventType}: LambdaExecutionError: ${error.message}`);
        throw new Ended(errorAnswer(503, 'Service Unavailable', 'LambdaExecutionError', 'The Lambda function returned an execution error.'));
      }
      throw error;
    }
  }
}

/** The body, as far as functions are shown it, and how to send all of it on. */
async function withBody(request, incoming, response, behaviour) {
  const limits = Object.entries(BODY_LIMIT).filter(([event]) => behaviour.functions[event]?.includeBody).map(([, limit]) => limit);
  const writable = !['GET', 'HEAD', 'OPTIONS'].includes(request.method);
  const body = limits.length > 0 && writable ? await peek(incoming, Math.max(...limits)) : undefined;
  const sendBody = (sent) => {
    if (body?.length) sent.write(body);
    incoming.pipe(sent);
    incoming.on('aborted', () => sent.destroy());
  };
  return { body, sendBody: request.hasBody ? sendBody : undefined, onClose: (end) => response.on('close', end) };
}

async function onRequest(eventType, request, behaviour, distribution, run) {
  const attached = behaviour.functions[eventType];
  if (!attached) return request;
  const origin = eventType === 'origin-request' ? behaviour.origin : undefined;
  // What reaches an origin-facing function has the origin's `Host` where the policy leaves the viewer's out.
  const seen = origin && !behaviour.keepsHost ? { ...request, headers: withHost(request.headers, origin.domainName) } : request;
  const record = requestRecord(distribution, eventType, request.requestId, seen, { includeBody: attached.includeBody, origin });
  const { request: changed, response } = await run(eventType, record);
  if (response) throw new Ended(generated(response));
  return {
    ...request,
    // What a function leaves alone goes on in the octets in which it came («URI, query string, and headers encoding»).
    uri: changed.uri === record.request.uri ? request.uri : toOctets(changed.uri),
    querystring: changed.querystring === record.request.querystring ? request.querystring : toOctets(changed.querystring),
    headers: octets(fromLists(changed.headers)),
    origin: origin && changed.origin ? { ...origin, ...routed(changed.origin.custom) } : request.origin,
    ...replaced(changed.body),
  };
}

async function onResponse(eventType, request, answer, behaviour, distribution, run) {
  if (!behaviour.functions[eventType]) return answer;
  const record = responseRecord(distribution, eventType, request.requestId, request, answer);
  const { response } = await run(eventType, record);
  const hidden = answer.headers.filter(([name]) => isDisallowed(name.toLowerCase()));
  const fields = [...octets(fromLists(response.headers)), ...hidden];
  const status = Number(response.status);
  if (response.body === undefined) {
    return { ...answer, status, statusDescription: response.statusDescription ?? '', headers: fields };
  }
  answer.stream?.destroy();
  return { ...generated({ ...response, headers: {} }, without(fields, (name) => name === 'content-length')), result: answer.result };
}

function generated(response, fields = octets(fromLists(response.headers ?? {}))) {
  const body = Buffer.from(response.body ?? '', response.bodyEncoding === 'base64' ? 'base64' : 'utf8');
  const status = Number(response.status);
  const length = status === 204 || status === 304 ? [] : [['content-length', String(body.length)]];
  return { status, statusDescription: response.statusDescription ?? '', headers: [...fields, ...length], body, result: 'LambdaGeneratedResponse' };
}

function replaced(body) {
  if (body?.action !== 'replace') return {};
  const octetsOfIt = Buffer.from(body.data, body.encoding === 'base64' ? 'base64' : 'utf8');
  return { body: octetsOfIt, sendBody: (sent) => sent.end(octetsOfIt) };
}

function routed({ domainName, port, path, readTimeout, customHeaders }) {
  return { domainName, port, path, readTimeout, customHeaders: fromLists(customHeaders) };
}

function withHost(fields, host) {
  return [['Host', host], ...without(fields, (name) => name === 'host')];
}

function octets(fields) {
  return fields.map(([name, value]) => [name, toOctets(value)]);
}
