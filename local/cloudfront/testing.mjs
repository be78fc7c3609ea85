// What the tests of this folder share: a front of their own with a function and an origin behind it.

import * as http from 'node:http';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { Containers } from './containers.mjs';
import { Distribution } from './distribution.mjs';
import { Front } from './front.mjs';
import { pairs } from './headers.mjs';

export const CACHING_DISABLED = '4135ea2d-6df8-44a3-9df3-4b5a84be39ad';
export const ALL_VIEWER_EXCEPT_HOST = 'b689b0a8-53d0-40ab-baf2-68738e2966ac';
export const FIXTURE = fileURLToPath(new URL('fixture', import.meta.url));
const METHODS = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE'];

/** A behaviour as a `DistributionConfig` has it. */
export function behaviour(pattern, origin, events, methods = METHODS) {
  return {
    ...(pattern && { PathPattern: pattern }),
    TargetOriginId: origin,
    AllowedMethods: { Quantity: methods.length, Items: methods },
    CachePolicyId: CACHING_DISABLED,
    OriginRequestPolicyId: ALL_VIEWER_EXCEPT_HOST,
    LambdaFunctionAssociations: {
      Quantity: events.length,
      Items: events.map((event) => ({ LambdaFunctionARN: 'arn:aws:lambda:us-east-1:123456789012:function:f:1', EventType: event, IncludeBody: event.endsWith('-request') })),
    },
  };
}

export function originOf(id, port, path = '', control = '') {
  return {
    Id: id,
    DomainName: '127.0.0.1',
    OriginPath: path,
    CustomOriginConfig: { HTTPPort: port, HTTPSPort: 443, OriginProtocolPolicy: 'http-only' },
    OriginAccessControlId: control,
  };
}

export function configOf(origins, behaviours, fallback) {
  return {
    Origins: { Quantity: origins.length, Items: origins },
    CacheBehaviors: { Quantity: behaviours.length, Items: behaviours },
    DefaultCacheBehavior: fallback,
  };
}

/** A server that answers `handler`'s and keeps what it saw. */
export async function origin(handler) {
  const seen = [];
  const server = http.createServer(async (request, response) => {
    const chunks = [];
    try {
      for await (const chunk of request) chunks.push(chunk);
    } catch {
      return;
    }
    seen.push({ method: request.method, target: request.url, fields: pairs(request.rawHeaders), body: Buffer.concat(chunks) });
    handler(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: server.address().port, seen, server };
}

/** A front on a free port; `close` ends it with its containers. */
export async function front(config, folder = FIXTURE, access = undefined) {
  const containers = new Containers({ folder, environment: {} });
  const made = new Front({ distribution: new Distribution(config), containers, access });
  const port = await freePort();
  const server = await made.listen(port);
  return {
    port,
    front: made,
    containers,
    close: async () => {
      server.close();
      server.closeAllConnections();
      containers.killNow();
    },
  };
}

/** A port that was free a moment ago. */
export async function freePort() {
  const server = http.createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** One request, its fields as flat names and values, and the whole answer. */
export function ask(port, method, path, fields = [], body = undefined) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port, method, path, headers: ['host', 'viewer.example', ...fields], agent: false });
    request.on('error', reject);
    request.on('response', async (answer) => {
      try {
        const chunks = [];
        for await (const chunk of answer) chunks.push(chunk);
        resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks) });
      } catch (error) {
        reject(error);
      }
    });
    request.end(body);
  });
}
