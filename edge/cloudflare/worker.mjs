// The Worker's entry: hands each request to the WebAssembly, and answers for it when it cannot.
//
// `cargo xtask build worker` writes ../build/, whose glue instantiates the module as it is loaded. A trap leaves
// the instance's memory in no known state, and every request that it was working on without an end: those are
// answered with 503 at once, and a new instance takes the next ones. Nothing fails open.
import { fetch as decide, __wbg_reset_state as replaceInstance } from "../build/postern_edge.js";

// One function for each request that the instance is working on; calling it ends the wait for the instance.
const waiting = new Set();

// A trap after the first `await` reaches nobody's `catch`: it is thrown in a microtask of its own.
addEventListener("error", (event) => {
  if (event.error instanceof WebAssembly.RuntimeError) {
    replaceInstance();
    for (const giveUp of waiting) giveUp();
  }
});

export default {
  async fetch(request, env, context) {
    const { promise: trapped, resolve: giveUp } = Promise.withResolvers();
    waiting.add(giveUp);
    try {
      const answer = await Promise.race([decide(request, env, context), trapped]);
      // Made here, since a response belongs to the request in whose turn it was made.
      return answer ?? unavailable(request, "trapped");
    } catch (error) {
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
