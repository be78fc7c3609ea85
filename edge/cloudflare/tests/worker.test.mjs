// The entry, with an instance of the test's in place of the module's: what a check's outcome is told, and to whom, once
// instances come and go. In workerd no instance can be made to trap between a check and its outcome.
import assert from "node:assert/strict";
import { registerHooks } from "node:module";
import { test } from "node:test";

const FORWARD = `forward\nGET\nhttps://origin.example/\nsent\n60000,60000\norigin\n\n\n\n\n`;
const ANSWER = "204\n\n";

// What the entry calls; each test sets what it says.
const instance = {};
globalThis.testInstance = instance;
globalThis.addEventListener = () => {};
registerHooks({
  resolve: (specifier, context, next) =>
    specifier.endsWith("/build/postern_edge.js") ? { url: "test:instance", shortCircuit: true } : next(specifier, context),
  load: (url, context, next) =>
    url === "test:instance"
      ? {
          format: "module",
          shortCircuit: true,
          source: ["decide", "resume", "refused", "review", "__wbg_reset_state"]
            .map((name) => `export const ${name} = (...given) => globalThis.testInstance.${name}(...given);`)
            .join("\n"),
        }
      : next(url, context),
});
const { default: worker } = await import("../worker.mjs");

const ask = () => worker.fetch(new Request("https://edge.example/x"), {}, {});

test("a check's outcome is told with the ticket of its request, and what comes of it is done", async () => {
  const told = [];
  const checks = [];
  instance.decide = (text, request, env, context, ticket) => {
    checks.push(Promise.withResolvers());
    return checks.at(-1).promise.then((outcome) => [ticket, outcome].join());
  };
  instance.resume = (ticket, outcome) => {
    told.push([ticket, outcome]);
    return ANSWER;
  };
  const answers = [ask(), ask()];
  // The later one is done first.
  checks[1].resolve(true);
  assert.equal((await answers[1]).status, 204);
  checks[0].resolve(false);
  assert.equal((await answers[0]).status, 204);
  for (const [ticket, outcome] of told) assert.equal(outcome.split(",")[0], `${ticket}`);
  assert.notEqual(told[0][0], told[1][0]);
});

test("a check that could not be made has no outcome, and whatever is asked for next is awaited", async () => {
  const steps = [Promise.resolve(true), [Promise.resolve(ANSWER)]];
  const told = [];
  instance.decide = () => Promise.reject(new Error("no such key"));
  instance.resume = (_, outcome) => {
    told.push(outcome);
    return steps.shift();
  };
  assert.equal((await ask()).status, 204);
  assert.deepEqual(told, [undefined, true]);
});

test("what was read of the body goes along, no cache is asked and no redirect followed", async (context) => {
  const sent = [];
  context.mock.method(globalThis, "fetch", async (url, { method, body, redirect, cache }) => {
    sent.push([url, method, body, redirect, cache]);
    return new Response(null, { status: 204 });
  });
  instance.review = () => "always\n";
  const octets = new Uint8Array([1, 2]);
  instance.decide = () => Promise.resolve();
  instance.resume = () => [FORWARD, octets];
  assert.equal((await ask()).status, 204);
  assert.deepEqual(sent, [["https://origin.example/", "GET", octets, "manual", "no-store"]]);
});

test("what the instance has not finished saying is answered with 503", async (context) => {
  context.mock.method(console, "error", () => {});
  context.mock.method(globalThis, "fetch", () => assert.fail("it was sent"));
  instance.refused = () => "503\n\n";
  for (const said of ["", "200", "200\nallow\nGET", FORWARD.slice(0, -1), `${FORWARD.slice(0, -1)}\nvary\nOrigin`]) {
    instance.decide = () => said;
    assert.equal((await ask()).status, 503, JSON.stringify(said));
  }
});

test("an origin's answer that cannot be one of ours is for the rules to answer", async (context) => {
  context.mock.method(globalThis, "fetch", async () => {
    const answer = new Response(null, { status: 200 });
    return Object.defineProperty(answer, "statusText", { value: "a\nb" });
  });
  instance.review = () => "always\n";
  instance.refused = (plan, why) => (why === "unpassable" ? "502\n\n" : "500\n\n");
  instance.decide = () => `${FORWARD}\nx-a\nb`;
  assert.equal((await ask()).status, 502);
});

test("an origin's answer goes on as it came where nothing is withheld or set", async (context) => {
  const answered = new Response("x", { headers: { "x-own": "1" } });
  context.mock.method(globalThis, "fetch", async () => answered);
  instance.decide = () => FORWARD;
  for (const verdict of ["once\n", "always\n", undefined]) {
    instance.review = () => verdict ?? assert.fail("it is known already");
    assert.equal(await ask(), answered);
  }
});

test("a review holds for answers with the same status, names, Vary and plan, and for no others", async (context) => {
  let answered;
  context.mock.method(globalThis, "fetch", async () => new Response(null, answered));
  const reviewed = [];
  instance.review = (plan, status, fields) => {
    reviewed.push(fields);
    return `always\nx-withheld\nvary\nReview ${reviewed.length}`;
  };
  const plan = (vary) => `${FORWARD.slice(0, -2)}\n${vary}\n`;
  const headers = (vary, own = "1") => ({ vary, "x-own": own, "x-withheld": own });
  for (const [vary, status, headersSent, review] of [
    ["A", 200, headers("a"), 1],
    ["A", 200, headers("a", "2"), 1],
    ["A", 204, headers("a"), 2],
    ["A", 204, headers("b"), 3],
    ["B", 204, headers("b"), 4],
    ["B", 204, { vary: "b", "x-withheld": "1" }, 5],
    ["B", 204, { vary: "b", "x-withheld": "2" }, 5],
  ]) {
    answered = { status, headers: headersSent };
    instance.decide = () => plan(vary);
    const answer = await ask();
    assert.equal(answer.headers.get("vary"), `Review ${review}`);
    assert.equal(answer.headers.get("x-own"), headersSent["x-own"] ?? null);
    assert.equal(answer.headers.get("x-withheld"), null);
  }
  assert.equal(reviewed.length, 5);
});

test("once the instance has trapped, a check of before answers 503 and moves nobody's request", async (context) => {
  const logged = context.mock.method(console, "error", () => {});
  const { promise, resolve } = Promise.withResolvers();
  const tickets = [];
  let instances = 1;
  instance.__wbg_reset_state = () => (instances += 1);
  instance.decide = (text, request, env, context, ticket) => {
    tickets.push(ticket);
    return promise;
  };
  const waiting = ask();
  instance.decide = () => {
    throw new WebAssembly.RuntimeError("unreachable");
  };
  assert.equal((await ask()).status, 503);
  assert.equal(instances, 2);
  // The next instance has requests of its own that wait, more than there were before.
  const own = Promise.withResolvers();
  const paused = new Map();
  instance.decide = (text, request, env, context, ticket) => {
    paused.set(ticket, ANSWER);
    return own.promise;
  };
  instance.resume = (ticket) => {
    const todo = paused.get(ticket);
    paused.delete(ticket);
    return todo;
  };
  const next = Array.from({ length: 2 * tickets[0] + 2 }, ask);
  resolve(true);
  const answer = await waiting;
  assert.equal(answer.status, 503);
  assert.equal((await answer.json()).code, "temporarily_unavailable");
  assert.equal(paused.size, next.length, "the outcome went to another request");
  own.resolve(true);
  for (const answer of next) assert.equal((await answer).status, 204);
  assert.deepEqual(logged.mock.calls.map(({ arguments: [line] }) => JSON.parse(line).reason), ["RuntimeError", "trapped"]);
});

test("a request that the runtime has forgotten is forgotten here too, in the end", async (context) => {
  context.mock.method(console, "error", () => {});
  context.mock.timers.enable({ apis: ["Date"], now: 0 });
  instance.__wbg_reset_state = () => {};
  const never = () => {
    instance.decide = () => new Promise(() => {});
    return ask();
  };
  const trap = async () => {
    instance.decide = () => {
      throw new WebAssembly.RuntimeError("unreachable");
    };
    assert.equal((await ask()).status, 503);
  };
  const forgotten = never();
  context.mock.timers.setTime(10 * 60 * 1000);
  const later = never();
  context.mock.timers.setTime(20 * 60 * 1000);
  const last = never();
  await trap();
  for (const answer of [later, last]) assert.equal((await answer).status, 503);
  // Nothing ends it: what was kept of it is gone.
  const turn = new Promise((resolve) => setImmediate(resolve, "nothing"));
  assert.equal(await Promise.race([forgotten, turn]), "nothing");
});

test("a trap as a check's outcome is told replaces the instance", async (context) => {
  context.mock.method(console, "error", () => {});
  let instances = 1;
  instance.__wbg_reset_state = () => (instances += 1);
  instance.decide = () => Promise.resolve(true);
  instance.resume = () => {
    throw new WebAssembly.RuntimeError("unreachable");
  };
  assert.equal((await ask()).status, 503);
  assert.equal(instances, 2);
});

test("a ticket that nobody knows answers 503", async (context) => {
  context.mock.method(console, "error", () => {});
  instance.decide = () => Promise.resolve(true);
  instance.resume = () => undefined;
  assert.equal((await ask()).status, 503);
});
