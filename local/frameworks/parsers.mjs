// How Node's query parsers and frameworks read a parameter: one JSON object a line in, one a line out.
//
// in:  {"target": "/orders?company=1111", "name": "company"}
// out: {"qs": ["1111"], "koa": ["1111"], …}: for each parser all values that a handler could take for the parameter
import { IncomingMessage, ServerResponse } from "node:http";
import { createRequire } from "node:module";
import { Socket } from "node:net";
import { createInterface } from "node:readline";

import fastify from "fastify";
import { Hono } from "hono";
import { Hono as Hono3 } from "hono3";
import Koa from "koa";
import qs from "qs";
import queryString from "query-string";

const require = createRequire(import.meta.url);
const socket = new Socket();

/** Calls a Node handler with a request for `target`, as its server would. */
const called = (handler, target) => {
  const request = new IncomingMessage(socket);
  Object.assign(request, { method: "GET", url: target, headers: { host: "edge.example" } });
  return handler(request, new ServerResponse(request));
};

/** A parser for an application whose handler calls `seen` with its query. */
const asked = (start) => {
  let query;
  const handler = start((read) => {
    query = read;
  });
  return (target, name) => {
    query = undefined;
    called(handler, target);
    return [query?.[name]];
  };
};

const express = (module) =>
  asked((seen) => {
    const app = require(module)();
    app.use((request) => seen(request.query));
    return app;
  });

const hono = (Application) => {
  const app = new Application();
  let read;
  // Hono 3 fails at octets that are not UTF-8; the values are then missing.
  app.onError((_, context) => context.body(null, 500));
  app.all("*", (context) => {
    const { name } = read;
    read.values = [context.req.query(name), context.req.query()[name], ...(context.req.queries(name) ?? [])];
    return context.body(null);
  });
  return async (target, name) => {
    read = { name };
    await app.fetch(new Request(`http://edge.example${target}`));
    return read.values ?? [];
  };
};

const server = fastify();
const inFastify = asked((seen) => {
  server.all("*", (request, reply) => {
    seen(request.query);
    reply.hijack();
  });
  return (request, response) => server.routing(request, response);
});
await server.ready();

const koa = new Koa();
const query = (target) => target.slice(target.indexOf("?") + 1);
const prefixed = { ignoreQueryPrefix: true };

const parsers = {
  URLSearchParams: (target, name) => new URLSearchParams(query(target)).getAll(name),
  "URL.searchParams": (target, name) => new URL(`http://edge.example${target}`).searchParams.getAll(name),
  qs: (target, name) => [qs.parse(query(target))[name]],
  "qs without a prefix": (target, name) => [qs.parse(query(target), prefixed)[name]],
  "qs with its prefix": (target, name) => [qs.parse(`?${query(target)}`, prefixed)[name]],
  "qs with dots": (target, name) => [qs.parse(query(target), { allowDots: true })[name]],
  "query-string": (target, name) => [queryString.parse(query(target))[name]],
  "query-string of a URL": (target, name) => [queryString.parseUrl(`http://edge.example${target}`).query[name]],
  "express 4": express("express4"),
  "express 5": express("express5"),
  fastify: inFastify,
  "hono 3": hono(Hono3),
  "hono 4": hono(Hono),
  koa: asked((seen) => (request, response) => seen(koa.createContext(request, response).query)),
};

const tried = async (parse, target, name) => {
  try {
    return (await parse(target, name)).map((value) => value ?? null);
  } catch (error) {
    return [{ error: String(error) }];
  }
};

for await (const line of createInterface({ input: process.stdin })) {
  const { target, name } = JSON.parse(line);
  const read = {};
  for (const [parser, parse] of Object.entries(parsers)) read[parser] = await tried(parse, target, name);
  process.stdout.write(`${JSON.stringify(read)}\n`);
}
