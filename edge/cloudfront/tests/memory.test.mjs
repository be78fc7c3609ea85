// One container, a hundred thousand events, each with a token that nobody has seen: memory stays below the function's.
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { begin, cold, end, token, viewerRequest, bearer } from "./lib.mjs";

const EVENTS = 100_000;
const BATCH = 500;
// A viewer event's function has 128 MB, Node and its own code included ("Quotas on Lambda@Edge").
const LIMIT = 128 * 1024 * 1024;
// What Lambda starts Node with for that: nine tenths and a twentieth.
const execArgv = ["--max-old-space-size=115", "--max-semi-space-size=6"];

let edge;
let container;
before(async () => {
  await begin();
  edge = cold();
  container = fork(new URL("container.mjs", import.meta.url), [edge.folder], { execArgv });
});
after(() => {
  container.kill();
  edge.remove();
  end();
});

test("memory is bounded over 100,000 events with distinct tokens", { timeout: 300_000 }, async () => {
  const seen = [];
  for (let count = BATCH; count <= EVENTS; count += BATCH) {
    container.send(Array.from({ length: BATCH }, () => viewerRequest("/companies/1111/orders", [bearer(token())])));
    const [{ permitted, wasm, process }] = await once(container, "message");
    assert.equal(permitted, BATCH);
    if (count === EVENTS / 2 || count === EVENTS) seen.push({ count, wasm, process });
  }
  const mb = (octets) => `${(octets / 1024 / 1024).toFixed(1)} MB`;
  for (const { count, wasm, process } of seen) {
    console.log(`after ${count} events: WebAssembly ${mb(wasm)}, the process ${mb(process)}`);
  }
  const [middle, last] = seen;
  // Less than ten octets an event: what caches turn over leaves its holes, and nothing of an event stays.
  assert.ok(last.wasm - middle.wasm < 10 * (EVENTS / 2), "the instance's memory grows without end");
  assert.ok(last.process < LIMIT, `the process has ${mb(last.process)}`);
});
