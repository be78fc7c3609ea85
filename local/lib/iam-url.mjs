// A stand-in for Lambda function URLs with `AuthType: AWS_IAM`, in front of the functions that run here: whoever does not
// sign rightly is refused as Lambda refuses, all else goes through as it came.

import * as http from 'node:http';

import { listen } from './listen.mjs';
import { refusal, sha256Hex } from './sigv4.mjs';

/** Lambda's own limit on what it is invoked with. */
const MAX_BODY_BYTES = 6 * 1024 * 1024;

export class IamUrl {
  #port;
  #target;
  #signers;
  #region;
  #server;

  /** `signers`: credentials of everyone who may invoke; `target`: the port that it stands in front of. */
  constructor({ port, target, signers, region }) {
    this.#port = port;
    this.#target = target;
    this.#signers = signers;
    this.#region = region;
    this.accepted = 0;
    this.refused = 0;
  }

  async start() {
    this.#server = http.createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
    await listen(this.#server, this.#port);
  }

  close() {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  describe() {
    return { accepted: this.accepted, refused: this.refused };
  }

  async #serve(request, response) {
    const chunks = [];
    let size = 0;
    for await (const chunk of request) {
      size += chunk.length;
      if (size > MAX_BODY_BYTES) return refuse(response, 413, 'RequestEntityTooLargeException', 'Request must be smaller than 6291456 bytes');
      chunks.push(chunk);
    }
    const body = Buffer.concat(chunks);
    const wrong = await this.#refusal(request, body);
    if (wrong) {
      this.refused += 1;
      console.log(`function URL: refused ${request.method}: ${wrong.message}`);
      return refuse(response, 403, 'AccessDeniedException', wrong.message);
    }
    this.accepted += 1;
    this.#forward(request, body, response);
  }

  async #refusal(request, body) {
    const { headers } = request;
    const signer = this.#signers.find(({ access_key_id: id }) => headers.authorization?.includes(`Credential=${id}/`)) ?? this.#signers[0];
    const asked = { method: request.method, target: request.url, headers, body };
    const wrong = await refusal(asked, { credentials: signer, region: this.#region, service: 'lambda' });
    if (wrong) return wrong;
    // The signature covers what the header says; Lambda takes no unsigned payload, so the body must be that.
    const stated = headers['x-amz-content-sha256'];
    if (stated !== undefined && stated !== sha256Hex(body)) {
      return { message: 'The provided x-amz-content-sha256 does not match what was computed.' };
    }
    return undefined;
  }

  #forward(request, body, response) {
    // The names as they came; framing anew, since the body has been read.
    const fields = pairs(request.rawHeaders).filter(([name]) => !['connection', 'transfer-encoding', 'content-length', 'expect'].includes(name.toLowerCase()));
    if (body.length > 0 || ['POST', 'PUT', 'PATCH'].includes(request.method)) fields.push(['content-length', String(body.length)]);
    const forwarded = http.request({
      host: '127.0.0.1',
      port: this.#target,
      method: request.method,
      path: request.url,
      headers: [...fields, ['connection', 'close']].flat(),
      setHost: false,
      agent: false,
    });
    forwarded.on('response', (answer) => {
      response.writeHead(answer.statusCode, answer.statusMessage, pairs(answer.rawHeaders).filter(([name]) => !['connection', 'transfer-encoding', 'keep-alive'].includes(name.toLowerCase())).flat());
      response.flushHeaders();
      answer.pipe(response);
      answer.on('error', () => response.destroy());
      answer.on('aborted', () => response.destroy());
    });
    forwarded.on('error', () => response.destroy());
    response.on('close', () => forwarded.destroy());
    forwarded.end(body);
  }
}

function refuse(response, status, type, message) {
  response.writeHead(status, { 'content-type': 'application/json', 'x-amzn-errortype': type });
  response.end(JSON.stringify({ Message: message }));
}

function pairs(raw) {
  return Array.from({ length: raw.length / 2 }, (_, index) => [raw[2 * index], raw[2 * index + 1]]);
}
