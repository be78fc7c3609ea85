// How a test steers the stand-ins: on a port of its own, never on the viewers'.

import * as http from 'node:http';

import { listen, readBody } from '../lib/listen.mjs';
import { Distribution } from './distribution.mjs';

/** `parts`: `{ front, containers, secrets, functionUrl, distribution }`. */
export async function startControl(port, parts) {
  const routes = controlRoutes(parts);
  const server = http.createServer(async (request, response) => {
    const [status, answer] = await handle(routes, request);
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(`${JSON.stringify(answer)}\n`);
  });
  await listen(server, port);
}

async function handle(routes, request) {
  try {
    const action = routes[`${request.method} ${request.url}`];
    if (!action) return [404, { error: `no such route, there are ${Object.keys(routes).join(', ')}` }];
    const text = await readBody(request);
    return [200, (await action(text === '' ? {} : JSON.parse(text))) ?? {}];
  } catch (error) {
    const ours = error instanceof RangeError || error instanceof SyntaxError;
    return [ours ? 400 : 500, { error: error.message }];
  }
}

function controlRoutes({ front, containers, secrets, functionUrl, distribution }) {
  return {
    'GET /': () => ({ ...containers.describe(), refused: front.refused, failed: front.failed, secrets: secrets.describe(), functionUrl: functionUrl.describe() }),
    // What comes next is served by a container that has seen nothing.
    'POST /end': () => containers.endAll(),
    // Of all containers; AWS's own clock goes along, or it would take no signature.
    'POST /clock': ({ offsetMs }) => {
      if (!Number.isSafeInteger(offsetMs)) throw new RangeError('`offsetMs` must be a whole number');
      containers.clockOffsetMs = offsetMs;
      secrets.set({ clockOffsetMs: offsetMs });
    },
    'POST /secrets': (body) => secrets.set(body),
    'GET /distribution': () => distribution,
    'POST /distribution': (config) => {
      front.distribution = new Distribution(config);
    },
    'POST /reset': async () => {
      const aside = containers.clockOffsetMs !== 0;
      containers.clockOffsetMs = 0;
      // Containers may hold keys that are no longer the secret's.
      const stale = secrets.isChanged();
      secrets.reset();
      front.distribution = new Distribution(distribution);
      front.forget();
      if (aside || stale) await containers.endAll();
    },
  };
}
