// Echo handler for Express 4 and 5: says how Express reads a request. docs/probe.md says when to mount it.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(import.meta.url);

/** The handler. Mount it with `app.all("/postern/echo", echo(version))`, before a `*` route. */
export const echo = (version) => (request, response) => {
  response.json({
    postern_echo: 1,
    framework: `express ${version}`,
    method: request.method,
    scheme: request.protocol,
    host: request.hostname,
    path: request.path,
    prefix: request.baseUrl,
    query: Object.entries(request.query),
    company: request.query.company ?? null,
    address: request.ip,
  });
};

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  // `express4` and `express5` are the names that package.json gives to the two versions.
  const [, , name, port] = process.argv;
  const app = require(name)();
  if (process.env.POSTERN_ECHO) app.all("/postern/echo", echo(require(`${name}/package.json`).version));
  app.listen(Number(port), "127.0.0.1");
}
