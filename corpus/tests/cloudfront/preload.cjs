'use strict';
// Stands before a container's own program: its clock is the test's, and what it fetches goes to one server of the test's,
// with the URL in a field, so that the policy's own `https` URLs stay as they are.

const { readFileSync } = require('node:fs');

const { POSTERN_CORPUS_OUTSIDE: outside, POSTERN_CORPUS_CLOCK: clock } = process.env;

Date.now = () => Number(readFileSync(clock, 'utf8'));

const { fetch } = globalThis;
globalThis.fetch = (request) => {
  const headers = new Headers(request.headers);
  headers.set('postern-test-url', request.url);
  const { method, body, signal } = request;
  return fetch(`http://${outside}/`, { method, headers, body, signal, duplex: 'half', redirect: 'manual', cache: 'no-store' });
};
