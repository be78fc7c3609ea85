// The Worker's entry: hands each request to the WebAssembly, and answers for it when it cannot.
//
// `cargo xtask build worker` writes ../build/, whose glue instantiates the module as it is loaded. A trap leaves
// the instance's memory in no known state, and every request that it was working on without an end: those are
// answered with 503 at once, and a new instance takes the next ones. Nothing fails open.
import { fetch as decide, __wbg_reset_state as replaceInstance } from "../build/postern_edge.js";

// One function for each request that the instance is working on; calling it ends the wait for the instance.
const waiting = new Set();

// Whether the instance has trapped and could not be replaced yet.
let broken = false;

function giveUpInstance() {
  broken = true;
  for (const giveUp of waiting) giveUp();
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

// Most traps reach nobody's `catch`: a decision goes on in microtasks and timers of its own. Whatever else is thrown
// there has left the instance's frames as a trap does, but for what the instance before left behind, a timer for
// example: that is refused by the glue, in these words.
addEventListener("error", ({ error }) => {
  if (isTrap(error) || !/previous wasm instance/i.test(error?.message)) giveUpInstance();
});

// Or in the callback of a promise.
addEventListener("unhandledrejection", ({ reason }) => {
  if (isTrap(reason)) giveUpInstance();
});

export default {
  async fetch(request, env, context) {
    const { promise: trapped, resolve: giveUp } = Promise.withResolvers();
    waiting.add(giveUp);
    try {
      if (broken) replace();
      const answer = await Promise.race([decide(request, env, context), trapped]);
      // Made here, since a response belongs to the request in whose turn it was made.
      return answer ?? unavailable(request, "trapped");
    } catch (error) {
      // Before there was a first microtask.
      if (isTrap(error)) giveUpInstance();
      // Only the kind: a message could quote the request.
      return unavailable(request, error?.name ?? typeof error);
    } finally {
      waiting.delete(giveUp);
    }
  },
};

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
