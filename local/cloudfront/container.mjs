// One container of the function, as Lambda runs it: the unpacked package is loaded once, then one event at a time comes
// over the channel to the parent, and what the handler answers goes back as JSON.
//
//     node container.mjs FOLDER

import { createRequire } from 'node:module';
import { join } from 'node:path';

const folder = process.argv[2];
const clock = Date.now;
let offsetMs = 0;

// Nobody to answer any more.
process.on('disconnect', () => process.exit(0));

shiftClock();

let handler;
try {
  ({ handler } = createRequire(join(folder, 'index.js'))('./index.js'));
  if (typeof handler !== 'function') throw new TypeError('`index.handler` is no function');
  process.send({ ready: true });
} catch (error) {
  console.error(error);
  process.send({ failed: 'the module does not load' });
}

process.on('message', async ({ event, requestId, timeoutMs, clockOffsetMs }) => {
  offsetMs = clockOffsetMs;
  const end = clock() + timeoutMs;
  const context = {
    awsRequestId: requestId,
    callbackWaitsForEmptyEventLoop: true,
    functionName: 'us-east-1.postern-edge',
    functionVersion: '1',
    getRemainingTimeInMillis: () => Math.max(0, end - clock()),
    invokedFunctionArn: 'arn:aws:lambda:us-east-1:123456789012:function:postern-edge:1',
    memoryLimitInMB: '128',
  };
  try {
    const result = await invoke(event, context);
    // As Lambda does: what is no JSON is an error of the function's.
    process.send({ result: JSON.stringify(result) ?? 'null', memory: process.memoryUsage() });
  } catch (error) {
    console.error(error);
    process.send({ failed: 'the function threw', memory: process.memoryUsage() });
  }
});

function invoke(event, context) {
  return new Promise((resolve, reject) => {
    const answer = handler(event, context, (error, result) => (error ? reject(error) : resolve(result)));
    if (typeof answer?.then === 'function') answer.then(resolve, reject);
  });
}

/** A clock that a test moves, with each event. */
function shiftClock() {
  const Real = Date;
  globalThis.Date = class extends Real {
    constructor(...given) {
      if (given.length === 0) super(clock() + offsetMs);
      else super(...given);
    }

    static now() {
      return clock() + offsetMs;
    }
  };
}
