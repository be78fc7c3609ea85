// Echo handler for Koa with its router: says how they read a request. docs/probe.md says when to mount it.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

import Router from "@koa/router";
import Koa from "koa";

const { version } = createRequire(import.meta.url)("koa/package.json");

/** The handler. Mount it with `router.all("/postern/echo", echo)`. */
export const echo = (context) => {
  context.body = {
    postern_echo: 1,
    framework: `koa ${version}`,
    method: context.method,
    scheme: context.protocol,
    host: context.hostname,
    path: context.path,
    prefix: "",
    query: Object.entries(context.query),
    company: context.query.company ?? null,
    address: context.ip,
  };
};

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const app = new Koa();
  const router = new Router();
  if (process.env.POSTERN_ECHO) router.all("/postern/echo", echo);
  app.use(router.routes()).listen(Number(process.argv[2]), "127.0.0.1");
}
