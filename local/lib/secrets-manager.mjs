// A stand-in for AWS Secrets Manager: `GetSecretValue` for one secret, in the JSON protocol of AWS, to whoever signs
// rightly. A test can rotate what it holds, take it away, slow it or have it talk nonsense.

import * as http from 'node:http';
import { isDeepStrictEqual } from 'node:util';

import { listen } from './listen.mjs';
import { refusal } from './sigv4.mjs';

const MODES = ['serve', 'refuse', 'hang', 'nonsense', 'error'];
const TARGET = 'secretsmanager.GetSecretValue';
const MAX_BODY_BYTES = 4096;

export class SecretsManager {
  #port;
  #arn;
  #credentials;
  #initial;
  #server;

  /** `values` is the JSON object that the secret holds. */
  constructor({ port, arn, credentials, values }) {
    this.#port = port;
    this.#arn = arn;
    this.#credentials = credentials;
    this.#initial = values;
    this.calls = 0;
    this.#forget();
  }

  async start() {
    this.#server = http.createServer((request, response) => {
      this.#answer(request, response).catch((error) => {
        console.error(`secrets manager: ${error.message}`);
        response.destroy();
      });
    });
    await listen(this.#server, this.#port);
  }

  close() {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** `mode`: `serve`, `refuse` (the connection breaks), `hang`, `nonsense` or `error` (500); each after `delayMs`. */
  set({ mode = this.mode, delayMs = this.delayMs, values, clockOffsetMs = this.clockOffsetMs }) {
    if (!MODES.includes(mode)) throw new RangeError(`\`mode\` must be one of ${MODES.join(', ')}`);
    this.mode = mode;
    this.delayMs = delayMs;
    this.clockOffsetMs = clockOffsetMs;
    if (values) this.values = { ...this.values, ...values };
    // A connection from before would otherwise go on as if nothing were.
    if (mode === 'refuse') this.#server?.closeAllConnections();
  }

  reset() {
    this.#forget();
  }

  /** Whether it holds something else than in the beginning. */
  isChanged() {
    return !isDeepStrictEqual(this.values, this.#initial);
  }

  describe() {
    return { mode: this.mode, calls: this.calls };
  }

  #forget() {
    this.mode = 'serve';
    this.delayMs = 0;
    this.clockOffsetMs = 0;
    this.values = { ...this.#initial };
  }

  async #answer(request, response) {
    this.calls += 1;
    const chunks = [];
    let size = 0;
    for await (const chunk of request) {
      size += chunk.length;
      if (size <= MAX_BODY_BYTES) chunks.push(chunk);
    }
    const body = Buffer.concat(chunks);
    const { mode } = this;
    if (mode === 'hang') return;
    if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs));
    if (mode === 'refuse') {
      response.destroy();
    } else if (mode === 'nonsense') {
      send(response, 200, { SecretString: '[not JSON' });
    } else if (mode === 'error') {
      send(response, 500, { __type: 'InternalServiceError', Message: 'An error occurred on the server side.' });
    } else {
      send(response, ...(await this.#serve(request, body)));
    }
  }

  async #serve(request, body) {
    const refused = await refusal(
      { method: request.method, target: request.url, headers: request.headers, body },
      { credentials: this.#credentials, region: this.#arn.split(':')[3], service: 'secretsmanager', now: Date.now() + this.clockOffsetMs },
    );
    if (refused) return [400, { __type: `${refused.code}Exception`, message: refused.message }];
    if (request.method !== 'POST' || request.url !== '/' || request.headers['x-amz-target'] !== TARGET) return [400, { __type: 'UnknownOperationException' }];
    let asked;
    try {
      asked = JSON.parse(body.toString('utf8'));
    } catch {
      return [400, { __type: 'SerializationException' }];
    }
    if (asked.SecretId !== this.#arn) return [400, { __type: 'ResourceNotFoundException', Message: "Secrets Manager can't find the specified secret." }];
    const values = Object.fromEntries(
      Object.entries(this.values).filter(([, value]) => value !== null).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
    );
    return [200, {
      ARN: this.#arn,
      Name: this.#arn.split(':').at(-1),
      SecretString: JSON.stringify(values),
      VersionId: 'stand-in',
      VersionStages: ['AWSCURRENT'],
      CreatedDate: 1700000000.1,
    }];
  }
}

function send(response, status, answer) {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': 'stand-in' });
  response.end(JSON.stringify(answer));
}
