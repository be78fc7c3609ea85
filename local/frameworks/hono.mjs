// Echo handler for Hono 3 and 4: says how Hono reads a request. docs/probe.md says when to mount it.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

import { serve } from "@hono/node-server";
import { getConnInfo } from "@hono/node-server/conninfo";

/** The handler. Mount it with `app.all("/postern/echo", echo(version))`. */
export const echo = (version) => (context) => {
  const url = new URL(context.req.url);
  return context.json({
    postern_echo: 1,
    framework: `hono ${version}`,
    method: context.req.method,
    scheme: url.protocol.slice(0, -1),
    host: url.host,
    path: context.req.path,
    prefix: "",
    query: Object.entries(context.req.queries()),
    company: context.req.query("company") ?? null,
    address: getConnInfo(context).remote.address,
  });
};

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  // `hono` and `hono3` are the names that package.json gives to the two versions.
  const [, , name, port] = process.argv;
  const { Hono } = await import(name);
  const { version } = JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url)));
  const app = new Hono();
  if (process.env.POSTERN_ECHO) app.all("/postern/echo", echo(version));
  serve({ fetch: app.fetch, hostname: "127.0.0.1", port: Number(port) });
}
