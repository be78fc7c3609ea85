"use strict";
// The Lambda@Edge function's entry: hands each event to the WebAssembly, and answers for it when it cannot.
//
// A trap leaves the instance's memory in no known state, and the event that it was working on without an end: that one is
// answered with 503 at once, and a new instance takes the next. Nothing fails open, and nothing is thrown: CloudFront
// would make a 502 of it, and Lambda end the container with all that it has in its caches.

const { readFileSync } = require("node:fs");
const { join } = require("node:path");
const { changed, read } = require("./event.js");
// For the glue, which requires it too: Node keeps whoever requires a module first as its parent, and with that glue the
// memory of its instance.
require("./ask.js");

const glue = require.resolve("./postern_edge.js");
const config = readFileSync(join(__dirname, "config.json"), "utf8");

// Time that is left for an answer when the WebAssembly has not given one.
const RESERVE_MS = 400;

let instance;
// What is wrong with the configuration, which lies in the package as the module does: it cannot get well.
let unusable;
// Ends the wait for the instance; there is one event at a time.
let giveUp = () => {};

function running() {
  if (unusable !== undefined) throw unusable;
  if (instance === undefined) {
    forget();
    const fresh = require(glue);
    try {
      fresh.start(config);
    } catch (error) {
      if (!isTrap(error)) unusable = error;
      throw error;
    }
    instance = fresh;
  }
  return instance;
}

// Whoever has required a module has it among its children: there an instance and all its memory would stay.
function forget() {
  const old = require.cache[glue];
  delete require.cache[glue];
  module.children = module.children.filter((child) => child !== old);
}

// An `unreachable`, no memory, an access out of bounds; and the end of the engine's own stack, which is a RangeError.
const isTrap = (error) => error instanceof WebAssembly.RuntimeError || error instanceof RangeError;

// Most traps reach nobody's `catch`: a decision goes on in promises' callbacks. The runtime's own listeners end the
// process, which is right for whatever is no trap.
for (const name of ["uncaughtException", "unhandledRejection"]) {
  const others = process.listeners(name);
  process.removeAllListeners(name);
  process.on(name, (reason, ...rest) => {
    if (isTrap(reason)) {
      instance = undefined;
      giveUp("trapped");
      return;
    }
    if (others.length === 0) throw reason;
    for (const listener of others) listener.call(process, reason, ...rest);
  });
}

// What the WebAssembly answers: from what a viewer's request has in few words, else from the whole event.
function answered(event, remaining) {
  const instance = running();
  const found = read(event);
  if (found === undefined) return instance.handle(event, remaining);
  const { request, text, count } = found;
  const answer = instance.decide(text, text.length, count, remaining);
  if (answer === undefined) return instance.handle(event, remaining);
  return answer instanceof Promise ? answer.then((text) => outcome(request, text)) : outcome(request, answer);
}

// A response is an object in JSON; the names of fields begin with no brace.
const outcome = (request, text) => (text.startsWith("{") ? JSON.parse(text) : changed(request, text));

exports.handler = async (event, context) => {
  try {
    const remaining = context?.getRemainingTimeInMillis?.() ?? 5000;
    const answer = answered(event, remaining);
    if (!(answer instanceof Promise)) return answer;
    const reason = new Promise((resolve) => {
      giveUp = resolve;
    });
    const timer = setTimeout(giveUp, Math.max(0, remaining - RESERVE_MS) || 0, "timed_out");
    try {
      return (await Promise.race([answer, reason.then((why) => unavailable(event, why))])) ?? unavailable(event, "empty");
    } finally {
      clearTimeout(timer);
    }
  } catch (error) {
    if (isTrap(error)) instance = undefined;
    // Only the kind: a message could quote the request.
    return unavailable(event, error?.name ?? typeof error);
  }
};

// The module is compiled, and the policy loaded, while Lambda gives a new container more time than it gives an event.
try {
  running();
} catch {
  // Each event tries anew, and says so.
}

function unavailable(event, reason) {
  console.error(JSON.stringify({ event: "edge_failed", reason }));
  const field = (key, value) => [{ key, value }];
  const answer = {
    status: "503",
    statusDescription: "Service Unavailable",
    headers: {
      "content-type": field("Content-Type", "application/problem+json"),
      "cache-control": field("Cache-Control", "no-store"),
      "retry-after": field("Retry-After", "5"),
    },
  };
  if (event?.Records?.[0]?.cf?.request?.method === "HEAD") return answer;
  const problem = {
    type: "about:blank",
    title: "Service Unavailable",
    status: 503,
    code: "temporarily_unavailable",
    detail: "The request cannot be decided right now. Try again shortly.",
  };
  return { ...answer, bodyEncoding: "text", body: JSON.stringify(problem) };
}
