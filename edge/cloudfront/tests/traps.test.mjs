// The instance ends in each way there is, which the real one cannot be made to: the entry answers 503 and takes another.
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { unpacked } from "./lib.mjs";

const folder = mkdtempSync(join(tmpdir(), "postern-traps-"));
after(() => rmSync(folder, { recursive: true, force: true }));
for (const name of ["index.js", "event.js", "ask.js"]) cpSync(join(unpacked(), name), join(folder, name));
writeFileSync(join(folder, "config.json"), "{}");
// In the instance's place: it does what the event says.
writeFileSync(join(folder, "postern_edge.js"), `
  globalThis.instances = (globalThis.instances ?? 0) + 1;
  // As the real one has both.
  require("./event.js"); require("./ask.js");
  module.memory = new WebAssembly.Memory({ initial: 1 });
  (globalThis.memories ??= []).push(new WeakRef(module.memory));
  exports.start = () => { if (globalThis.startFails) throw "config_unusable"; };
  exports.handle = ({ how, Records }, remaining) => ({
    answer: () => ({ served: true }),
    promise: async () => ({ served: true }),
    trap: () => { throw new WebAssembly.RuntimeError("unreachable, with a token in it"); },
    stack: () => { throw new RangeError("Maximum call stack size exceeded"); },
    rejects: async () => { throw new WebAssembly.RuntimeError("unreachable"); },
    callback: () => { Promise.resolve().then(() => { throw new WebAssembly.RuntimeError("unreachable"); }); return new Promise(() => {}); },
    timer: () => { setTimeout(() => { throw new WebAssembly.RuntimeError("unreachable"); }, 5); return new Promise(() => {}); },
    never: () => new Promise(() => {}),
    nothing: async () => undefined,
    text: () => { throw "secret_missing"; },
  })[how]();
`);

// A context made while the flag is set has the function.
setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc");

const require = createRequire(join(folder, "x.js"));
const { handler } = require("./index.js");
const send = (how, remaining = 5000, method = "GET") =>
  handler({ how, Records: [{ cf: { request: { method } } }] }, { getRemainingTimeInMillis: () => remaining });

test("what the instance answers is the answer, at once or later", async () => {
  assert.deepEqual(await send("answer"), { served: true });
  assert.deepEqual(await send("promise"), { served: true });
});

test("however the instance ends, the event is answered with 503 and the next by another instance", async () => {
  for (const how of ["trap", "stack", "rejects", "callback", "timer"]) {
    const before = globalThis.instances;
    const answer = await send(how);
    assert.equal(answer.status, "503", how);
    assert.equal(JSON.parse(answer.body).code, "temporarily_unavailable", how);
    assert.deepEqual(await send("answer"), { served: true }, how);
    assert.equal(globalThis.instances, before + 1, how);
  }
});

test("what only fails keeps the instance", async () => {
  const before = globalThis.instances;
  for (const how of ["nothing", "text"]) assert.equal((await send(how)).status, "503", how);
  assert.equal(globalThis.instances, before);
});

test("an instance that does not answer in time is answered for before Lambda's own limit", { timeout: 10_000 }, async () => {
  const start = performance.now();
  assert.equal((await send("never", 600)).status, "503");
  assert.ok(performance.now() - start < 600);
  assert.equal((await send("never", 0)).status, "503");
});

test("an answer to HEAD has no body", async () => {
  assert.equal((await send("trap", 5000, "HEAD")).body, undefined);
});

test("an instance that is replaced is let go", async () => {
  for (let count = 0; count < 5; count += 1) await send("trap");
  await send("answer");
  const { children } = require.cache[require.resolve("./index.js")];
  assert.equal(children.filter(({ filename }) => filename.endsWith("postern_edge.js")).length, 1);
  // What a WeakRef has given stays until the next turn of the event loop.
  await new Promise(setImmediate);
  collectGarbage();
  const kept = globalThis.memories.filter((memory) => memory.deref() !== undefined);
  assert.equal(kept.length, 1, `${kept.length} of ${globalThis.memories.length} memories are kept`);
});

test("a configuration that does not load is answered with 503, and loaded once", async () => {
  await send("trap");
  globalThis.startFails = true;
  const before = globalThis.instances;
  for (let count = 0; count < 5; count += 1) assert.equal((await send("answer")).status, "503");
  assert.equal(globalThis.instances, before + 1);
});
