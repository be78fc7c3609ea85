// An empty page on an origin of its own: where a browser test runs its scripts from, and where a login returns to.

import * as http from 'node:http';

import { listen } from './listen.mjs';

const PAGE = '<!doctype html>\n<meta charset="utf-8">\n<title>Postern</title>\n<p>A page of the local stack.</p>\n';

export async function startPage(port) {
  const server = http.createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' });
    response.end(PAGE);
  });
  await listen(server, port);
}
