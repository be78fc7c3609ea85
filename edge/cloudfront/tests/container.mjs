// A container by itself: answers events that come in numbers, and says how much memory it has.
import { createRequire } from "node:module";
import { join } from "node:path";

let memory;
const { Instance } = WebAssembly;
// Node has WebAssembly of its own.
WebAssembly.Instance = class extends Instance {
  constructor(...parts) {
    super(...parts);
    if (this.exports.handle) ({ memory } = this.exports);
  }
};
const { handler } = createRequire(join(process.argv[2], "x.js"))("./index.js");
const context = { getRemainingTimeInMillis: () => 5000 };

process.on("message", async (events) => {
  let permitted = 0;
  for (const event of events) {
    const answer = await handler(event, context);
    permitted += answer.headers?.["postern-assertion"] ? 1 : 0;
  }
  process.send({ permitted, wasm: memory.buffer.byteLength, process: process.memoryUsage.rss() });
});
process.on("disconnect", () => process.exit());
