// One container, and tokens that nobody has seen: large ones, then a hundred thousand usual ones. Memory stays below the
// function's.
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { begin, cold, end, token, viewerRequest, bearer } from "./lib.mjs";

const EVENTS = 100_000;
const BATCH = 500;
// A viewer event's function has 128 MB, Node and its own code included ("Quotas on Lambda@Edge").
const LIMIT = 128 * 1024 * 1024;
// What Lambda starts Node with for that: nine tenths and a twentieth.
const execArgv = ["--max-old-space-size=115", "--max-semi-space-size=6"];
// What an instance may have with its cache of tokens full of large ones: less than it would have without a bound.
const MOST_WASM = 24 * 1024 * 1024;
const mb = (octets) => `${(octets / 1024 / 1024).toFixed(1)} MB`;

let edge;
let container;
before(async () => {
  await begin();
  // Companies in the token, so that it may be as large as tokens may be.
  edge = cold((own) => {
    own.issuer.partners.permissions = "claims";
  });
  container = fork(new URL("container.mjs", import.meta.url), [edge.folder], { execArgv });
});
after(() => {
  container.kill();
  edge.remove();
  end();
});

const MOST_NAMES = 1024;
const LARGE = 14 * 1024;
const path = "/companies/1111/orders";

async function send(tokens) {
  container.send(tokens.map((token) => viewerRequest(path, [bearer(token)])));
  const [answered] = await once(container, "message");
  return answered;
}

const usual = () => token("1111", { companies: ["1111"] });

// Each list begins with another number: tokens share a list with the token before them that has the same.
function names(count, last) {
  const first = randomInt(0x100, 0x1000 - count);
  return Array.from({ length: count - 1 }, (_, index) => (first + index).toString(16)).concat(last);
}

test("200 large tokens with 5,000 scopes do not trap the instance", { timeout: 120_000 }, async () => {
  const large = () =>
    token("1111", { scope: "a ".repeat(5_000) + "orders/list.orders", companies: ["1111"], note: "x".repeat(1_000) });
  assert.ok(large().length > LARGE, `${large().length}`);
  const { permitted, wasm } = await send(Array.from({ length: 200 }, large));
  // The route asks for a scope, and the claim is over its cap.
  assert.equal(permitted, 0);
  assert.ok(wasm < MOST_WASM, `the instance has ${wasm} octets`);
  assert.equal((await send([usual()])).permitted, 1);
});

test("200 large tokens with as many names as may be do not trap the instance", { timeout: 120_000 }, async () => {
  const large = () =>
    token("1111", {
      scope: names(MOST_NAMES, "orders/list.orders").join(" "),
      companies: names(MOST_NAMES, "1111"),
      note: "x".repeat(800),
    });
  assert.ok(large().length > LARGE, `${large().length}`);
  // Three times as many: an instance that keeps them all exceeds the limit.
  for (let times = 0; times < 3; times += 1) {
    const { permitted, wasm } = await send(Array.from({ length: 200 }, large));
    assert.equal(permitted, 200);
    console.log(`after ${200 * (times + 1)} large tokens: WebAssembly ${mb(wasm)}`);
    assert.ok(wasm < MOST_WASM, `the instance has ${wasm} octets`);
  }
  assert.equal((await send([usual()])).permitted, 1);
});

test("memory is bounded over 100,000 events with distinct tokens", { timeout: 300_000 }, async () => {
  const seen = [];
  for (let count = BATCH; count <= EVENTS; count += BATCH) {
    const { permitted, wasm, process } = await send(Array.from({ length: BATCH }, usual));
    assert.equal(permitted, BATCH);
    if (count === EVENTS / 2 || count === EVENTS) seen.push({ count, wasm, process });
  }
  for (const { count, wasm, process } of seen) {
    console.log(`after ${count} events: WebAssembly ${mb(wasm)}, the process ${mb(process)}`);
  }
  const [middle, last] = seen;
  // Less than ten octets an event: what caches turn over leaves its holes, and nothing of an event stays.
  assert.ok(last.wasm - middle.wasm < 10 * (EVENTS / 2), "the instance's memory grows without end");
  assert.ok(last.process < LIMIT, `the process has ${mb(last.process)}`);
});
