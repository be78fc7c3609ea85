// A page in a real browser: opens `page`, sends `requests` from its script one after the other, and prints what the
// script could see of each, with the preflights that the browser sent for them.
//
//     node page.mjs  < { modules, chromium, profile, page, requests: [{ url, init }] }
//
// Prints { "results": [{ status, headers, body } | { error }], "sent": [{ method, url, kind, status? }] }.
// `error` is all that a script learns when the browser keeps an answer from it.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const task = JSON.parse(readFileSync(0, 'utf8'));
const { chromium } = createRequire(`${task.modules}/`)('playwright-core');

const context = await chromium.launchPersistentContext(task.profile, {
  executablePath: task.chromium,
  headless: true,
  chromiumSandbox: false,
  timeout: 30_000,
  args: [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});
try {
  const page = context.pages()[0] ?? (await context.newPage());
  await page.goto(task.page);
  const sent = await watch(page);
  const results = [];
  for (const request of task.requests) results.push(await page.evaluate(send, request));
  console.log(JSON.stringify({ results, sent: [...sent.values()] }));
} finally {
  await context.close();
}

// What goes out, preflights included, which a page's own events leave out.
async function watch(page) {
  const session = await page.context().newCDPSession(page);
  const sent = new Map();
  session.on('Network.requestWillBeSent', ({ requestId, request, type }) => {
    sent.set(requestId, { method: request.method, url: request.url, kind: type });
  });
  session.on('Network.responseReceived', ({ requestId, response }) => {
    const entry = sent.get(requestId);
    if (entry) entry.status = response.status;
  });
  await session.send('Network.enable');
  return sent;
}

// Runs in the page.
async function send({ url, init }) {
  try {
    const response = await fetch(url, { cache: 'no-store', ...init });
    return { status: response.status, headers: Object.fromEntries(response.headers), body: await response.text() };
  } catch (error) {
    return { error: String(error) };
  }
}
