// One isolate of the Worker with a Cache API that outlives it: the engine of `wrangler dev`, without its proxy.
//
// Takes its configuration as JSON in the first argument: bundle, bindings, cache, date. Prints its URL once it listens,
// and ends with its standard input, so that it cannot outlive whoever started it.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { createRequire } from "node:module";

const { bundle, bindings, cache, date, modules: packages } = JSON.parse(process.argv[2]);
const { Miniflare } = createRequire(join(packages, "package.json"))("miniflare");

const files = readdirSync(bundle).filter((name) => /\.(js|mjs|wasm)$/.test(name));
// The script first: that is where the handlers are.
files.sort((a, b) => a.endsWith(".wasm") - b.endsWith(".wasm"));
const modules = files.map((name) => ({
  type: name.endsWith(".wasm") ? "CompiledWasm" : "ESModule",
  path: join(bundle, name),
}));

const edge = new Miniflare({
  host: "127.0.0.1",
  port: 0,
  modulesRoot: bundle,
  modules,
  bindings,
  compatibilityDate: date,
  cachePersist: cache,
});
process.stdin.resume().on("end", () => edge.dispose().finally(() => process.exit()));
console.log((await edge.ready).origin);
