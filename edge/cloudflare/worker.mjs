// The Worker's entry: hands each request to the WebAssembly, and answers for it when it cannot.
//
// `cargo xtask build worker` writes ../build/, whose glue instantiates the module as it is loaded. A trap leaves
// the instance's memory in no known state, and every request that it was working on without an end: those are
// answered with 503 at once, and a new instance takes the next ones. Nothing fails open.
import { decide, resume, __wbg_reset_state as replaceInstance } from "../build/postern_edge.js";
import { answer, forward, isPlan, textOf } from "./forward.mjs";

// One function for each request that is being served, with the time it began; calling it ends the wait.
const waiting = new Map();

// No request is served for longer, by the limits of forward.rs and those of what a decision asks. One whose caller has
// hung up the runtime may just forget, and nothing of it would ever say that it is over.
const LONGEST_MS = 20 * 60 * 1000;

function wait(end) {
  const now = Date.now();
  // The oldest come first.
  for (const [other, since] of waiting) {
    if (now - since < LONGEST_MS) break;
    waiting.delete(other);
  }
  waiting.set(end, now);
}

// What the instance knows a request by while it waits for a check. Never counted anew: an instance that takes another's
// place knows nothing of the requests before it.
let tickets = 0;

// Whether the instance has trapped and could not be replaced yet.
let broken = false;

function giveUpInstance() {
  broken = true;
  for (const giveUp of waiting.keys()) giveUp();
  try {
    replace();
  } catch {
    // No room for another one at this moment. The old one is not called again: the next request tries anew.
  }
}

function replace() {
  replaceInstance();
  broken = false;
}

// An `unreachable`, no memory, an access out of bounds; and the end of the engine's own stack, which is a RangeError.
const isTrap = (error) => error instanceof WebAssembly.RuntimeError || error instanceof RangeError;

// Traps in a decision that goes on in microtasks of its own reach nobody's `catch`. Nothing else in this Worker throws
// there, and whatever is thrown through the instance's frames has left it as a trap does.
addEventListener("error", giveUpInstance);

// Or in the callback of a promise, where the glue also refuses what an instance before has left behind.
addEventListener("unhandledrejection", ({ reason }) => {
  if (isTrap(reason)) giveUpInstance();
});

// Or in that of a timer, of which neither of those events tells.
const startTimer = globalThis.setTimeout;
globalThis.setTimeout = (callback, delay) =>
  startTimer(() => {
    try {
      callback();
    } catch (error) {
      if (isTrap(error)) giveUpInstance();
      throw error;
    }
  }, delay);

export default {
  fetch(request, env, context) {
    try {
      if (broken) replace();
      tickets = (tickets + 1) >>> 0;
      const decided = decide(textOf(request), request, env, context, tickets);
      return typeof decided === "string" && !isPlan(decided) ? answer(decided) : serve(decided, request, tickets);
    } catch (error) {
      return failed(request, error);
    }
  },
};

// Goes on with what was decided at once, or will be.
async function serve(decided, request, ticket) {
  const { promise: ended, resolve: end } = Promise.withResolvers();
  wait(end);
  try {
    if (typeof decided !== "string") decided = await Promise.race([checked(decided, ticket), ended]);
    // With the body that the decision has read, or without.
    const [text, octets] = typeof decided === "string" ? [decided] : (decided ?? []);
    if (text !== undefined && !isPlan(text)) return answer(text);
    const response = text && (await forward(text, octets, request, { ended, end }));
    // Made here, since a response belongs to the request in whose turn it was made.
    return response ?? unavailable(request, "trapped");
  } catch (error) {
    return failed(request, error);
  } finally {
    waiting.delete(end);
  }
}

// What was decided; before that, a check of the runtime's that the instance waits for.
async function checked(decided, ticket) {
  while (decided instanceof Promise) {
    let outcome;
    try {
      outcome = await decided;
    } catch {
      // It could not be made, which is for the rules to judge.
    }
    decided = resume(ticket, outcome);
  }
  // What had to be asked for as well is awaited over there.
  return decided?.[0] instanceof Promise ? decided[0] : decided;
}

function failed(request, error) {
  if (isTrap(error)) giveUpInstance();
  // Only the kind: a message could quote the request.
  return unavailable(request, error?.name ?? typeof error);
}

function unavailable(request, reason) {
  console.error(JSON.stringify({ event: "worker_failed", reason }));
  const problem = {
    type: "about:blank",
    title: "Service Unavailable",
    status: 503,
    code: "temporarily_unavailable",
    detail: "The request cannot be decided right now. Try again shortly.",
  };
  return new Response(request.method === "HEAD" ? null : JSON.stringify(problem), {
    status: 503,
    headers: { "content-type": "application/problem+json", "cache-control": "no-store", "retry-after": "5" },
  });
}
