// One container, a hundred thousand events, each with a token that nobody has seen: memory stays below the function's.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bearer, begin, cold, context, end, token, viewerRequest } from "./lib.mjs";

const EVENTS = 100_000;
// A viewer event's function has 128 MB ("Quotas on Lambda@Edge"), Node and its own code included.
const LIMIT = 128 * 1024 * 1024;

let edge;
before(async () => {
  await begin();
  edge = cold();
});
after(() => {
  edge.remove();
  end();
});

test("memory is bounded over 100,000 events with distinct tokens", { timeout: 300_000 }, async () => {
  const size = () => edge.require("./postern_edge.js").__wasm.memory.buffer.byteLength;
  const half = [];
  for (let count = 1; count <= EVENTS; count += 1) {
    const answer = await edge.handler(viewerRequest("/companies/1111/orders", [bearer(token())]), context());
    assert.ok(answer.headers?.["postern-assertion"], `event ${count}: ${answer.status}`);
    if (count === EVENTS / 2 || count === EVENTS) {
      globalThis.gc?.();
      half.push({ wasm: size(), rss: process.memoryUsage.rss() });
    }
  }
  const [middle, last] = half;
  const mb = (octets) => (octets / 1024 / 1024).toFixed(1);
  console.log(`after ${EVENTS / 2}: WASM ${mb(middle.wasm)} MB, process ${mb(middle.rss)} MB`);
  console.log(`after ${EVENTS}: WASM ${mb(last.wasm)} MB, process ${mb(last.rss)} MB`);
  assert.equal(last.wasm, middle.wasm, "the instance's memory grows without end");
  assert.ok(last.rss < LIMIT, `the process has ${mb(last.rss)} MB`);
});
