'use strict';
// Stands before a container's own program: its clock is the test's, and what it asks for goes to one server of the test's,
// with the URL in a field, so that the policy's own `https` URLs stay as they are.

const { readFileSync } = require('node:fs');

const { POSTERN_CORPUS_OUTSIDE: outside, POSTERN_CORPUS_CLOCK: clock } = process.env;

Date.now = () => Number(readFileSync(clock, 'utf8'));

// As the function takes it: `request` of either module, when it asks.
const modules = { 'http:': require('node:http'), 'https:': require('node:https') };
const { request } = modules['http:'];
const [hostname, port] = outside.split(':');
for (const [protocol, module] of Object.entries(modules)) {
  module.request = (options) => {
    const authority = options.port ? `${options.hostname}:${options.port}` : options.hostname;
    const headers = { ...options.headers, 'postern-test-url': `${protocol}//${authority}${options.path}` };
    return request({ ...options, hostname, port, path: '/', headers });
  };
}
