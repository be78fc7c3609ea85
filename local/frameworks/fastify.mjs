// Echo handler for Fastify: says how Fastify reads a request. docs/probe.md says when to mount it.
import { pathToFileURL } from "node:url";

import Fastify from "fastify";

/** The handler. Mount it with `app.all("/postern/echo", echo)`. */
export const echo = (request, reply) => {
  reply.send({
    postern_echo: 1,
    framework: `fastify ${request.server.version}`,
    method: request.method,
    scheme: request.protocol,
    host: request.host,
    path: request.url.split("?")[0],
    prefix: "",
    query: Object.entries(request.query),
    company: request.query.company ?? null,
    address: request.ip,
  });
};

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const app = Fastify();
  if (process.env.POSTERN_ECHO) app.all("/postern/echo", echo);
  await app.listen({ host: "127.0.0.1", port: Number(process.argv[2]) });
}
