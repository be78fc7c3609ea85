// One test for each line of AWS's pages that can be shown here: the function in `fixture/` breaks it, and the viewer is
// answered as CloudFront answers. The test's name is the page and the line.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';

import { ask, behaviour, configOf, front, origin, originOf } from './testing.mjs';

const { CASES } = createRequire(import.meta.url)('./fixture/index.js');
const EVENTS = ['viewer-request', 'origin-request', 'origin-response', 'viewer-response'];
const DATE = 'Sun, 01 Nov 2026 00:00:00 GMT';
/** Every read-only field, so that there is something to change. */
const FIELDS = [
  'via', '1.1 proxy.example', 'accept-encoding', 'br', 'if-modified-since', DATE, 'if-none-match', '"a"', 'if-range', '"b"',
  'if-unmodified-since', DATE, 'content-length', '2',
];

let stand;
let service;

before(async () => {
  service = await origin((_request, response) => {
    response.writeHead(200, ['via', '1.1 origin.example', 'warning', '199 - x', 'content-length', '2']);
    response.end('ok');
  });
  const behaviours = EVENTS.map((event) => behaviour(`/${event}/*`, 'o', [event]));
  stand = await front(configOf([originOf('o', service.port)], behaviours, behaviour('', 'o', [])));
});

after(async () => {
  await stand.close();
  service.server.close();
  service.server.closeAllConnections();
});

for (const [number, { page, line, event, status }] of CASES.entries()) {
  test(`${page}: ${line} (${event}) → ${status}`, async () => {
    const refusedBefore = stand.front.refused.length;
    const answer = await ask(stand.port, 'POST', `/${event}/x?q=1`, [...FIELDS, 'x-case', String(number)], '{}');
    assert.equal(answer.status, status, `${answer.headers['x-cache']}: ${stand.front.refused.at(-1)}`);
    const refused = stand.front.refused.length - refusedBefore;
    // A status may be the function's own; whether it was refused is told by this.
    const isRefused = status === 502 && !line.includes('may change');
    assert.equal(refused, isRefused ? 1 : 0, stand.front.refused.at(-1));
    const own = { 502: isRefused ? 'LambdaValidationError' : 'Miss', 503: 'LambdaExecutionError' }[status];
    if (own) assert.equal(answer.headers['x-cache'], `${own} from cloudfront`);
  });
}
