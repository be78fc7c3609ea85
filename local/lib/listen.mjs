// Starting and stopping servers on the loopback interface, and reading a request's body within a bound.

import * as http from 'node:http';

const MAX_BODY_BYTES = 1024 * 1024;

export function listen(server, port) {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Closes a server and drops its live connections: from then on a connection is refused. */
export function closeServer(server) {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections?.();
  });
}

export async function readBody(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new RangeError(`a body over ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * Answers JSON with JSON on `port`. `find(method, url)` gives what to do with a request's JSON, or the text of a 404. What
 * the asker did wrong is thrown as a `RangeError`.
 */
export async function serveJson(port, find) {
  const answer = async (request) => {
    try {
      const action = find(request.method, request.url);
      if (typeof action === 'string') return [404, { error: action }];
      const text = await readBody(request);
      return [200, (await action(text === '' ? {} : JSON.parse(text))) ?? {}];
    } catch (error) {
      const ours = error instanceof RangeError || error instanceof SyntaxError;
      return [ours ? 400 : 500, { error: error.message }];
    }
  };
  const server = http.createServer(async (request, response) => {
    const [status, content] = await answer(request);
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(`${JSON.stringify(content)}\n`);
  });
  await listen(server, port);
}
