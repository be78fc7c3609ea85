// One contender's container: a process of its own, as Lambda gives each function one, so that no other's code shapes its
// optimised code or its heap. It answers what its parent sends:
//
//     { ask: 'answer', texts }                 each event's answer
//     { ask: 'tokens', texts }                 kept, for what is measured
//     { ask: 'measure', row, milliseconds }    processor time of one call, in microseconds
//
//     node container.mjs HANDLER.js

import { createRequire } from 'node:module';
import { resolve } from 'node:path';

// Events made beforehand: enough that reading the clock costs nothing, few enough to stay in a young heap.
const BATCH = 256;
// What does nothing is called so often in its time that making its events would take minutes.
const MOST_CALLS = 128 * BATCH;

const started = performance.now();
const { handler } = createRequire(import.meta.url)(resolve(process.argv[2]));
const context = { getRemainingTimeInMillis: () => 5000 };

let texts = [];
let next = 0;

const asked = {
  answer: async ({ texts }) => {
    const answers = [];
    for (const text of texts) answers.push(await handler(JSON.parse(text), context));
    return answers;
  },
  first: async ({ text }) => {
    const answer = await handler(JSON.parse(text), context);
    const { user, system } = process.cpuUsage();
    return { answer, wall: performance.now() - started, cpu: (user + system) / 1000 };
  },
  tokens: async (message) => {
    texts = message.texts;
    return true;
  },
  measure: async ({ row, milliseconds }) => {
    let calls = 0;
    let spent = 0;
    while (spent < milliseconds * 1000 && calls < MOST_CALLS) {
      const events = Array.from({ length: BATCH }, () => JSON.parse(row === 'new' ? following() : texts[0]));
      const before = process.cpuUsage();
      for (const event of events) await handler(event, context);
      const { user, system } = process.cpuUsage(before);
      spent += user + system;
      calls += BATCH;
    }
    return spent / calls;
  },
};

function following() {
  next = (next + 1) % texts.length;
  return texts[next];
}

process.on('message', async (message) => process.send(await asked[message.ask](message)));
process.on('disconnect', () => process.exit());
process.send('ready');
