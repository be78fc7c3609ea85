// What the function asks, over real connections: within its bounds, as it was asked for, and by a name when it fails.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { unpacked } from "./lib.mjs";

const { ask } = createRequire(join(unpacked(), "x.js"))("./ask.js");
const seen = { connections: 0, requests: [] };
const answers = {
  "/ok?a=%20": (response) => response.writeHead(200, { "cache-control": "max-age=9", age: "3", etag: '"e"', "retry-after": "7" }).end("0123456789"),
  "/elsewhere": (response) => response.writeHead(302, { location: "/ok?a=%20" }).end("x"),
  "/same": (response) => response.writeHead(304, { etag: '"e"' }).end(),
  "/endless-404": (response) => {
    response.writeHead(404);
    response.write("x");
  },
  "/slow": () => {},
  "/slow-body": (response) => {
    response.writeHead(200);
    response.write("x");
  },
  "/cut": (response) => {
    response.writeHead(200, { "content-length": "10" });
    response.write("x", () => response.destroy());
  },
  "/packed": (response) => response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("0".repeat(1000))),
  "/packed-short": (response) => {
    response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("0".repeat(1000)).subarray(0, -9));
  },
  "/packed-strangely": (response) => response.writeHead(200, { "content-encoding": "constructor" }).end("0"),
};
const server = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    seen.requests.push({ ...request, method: request.method, url: request.url, headers: request.headers, body: `${Buffer.concat(chunks)}` });
    (answers[request.url] ?? answers["/ok?a=%20"])(response);
  });
});
server.on("connection", () => (seen.connections += 1));
let origin;
before(async () => {
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${server.address().port}`;
});
after(() => {
  server.close();
  server.closeAllConnections();
});

const get = (target, { limit = 2000, cap = 10 } = {}) => ask("GET", `${origin}${target}`, target, [], undefined, limit, cap);
const fails = (asked, name) => assert.rejects(asked, ({ name: own, message }) => own === name && !message.includes("127.0.0.1"));

test("an answer is read to the octet, with what caches want to know", async () => {
  const { octets, ...rest } = await get("/ok?a=%20");
  assert.deepEqual(rest, { status: 200, cacheControl: "max-age=9", age: "3", etag: '"e"', retryAfter: "7" });
  assert.equal(Buffer.from(octets).toString(), "0123456789");
});

test("what is sent is what was asked for, and no coding is", async () => {
  await ask("POST", `${origin}/x`, "/x", ["content-type", "text/plain", "x-signed", "a"], "a text", 2000, 10);
  const { method, url, headers, body } = seen.requests.at(-1);
  assert.deepEqual([method, url, body, headers["x-signed"], headers["accept-encoding"]], ["POST", "/x", "a text", "a", "identity"]);
  assert.ok(headers["user-agent"]);
});

test("no redirect is followed, and only of a 200 is the body read", async () => {
  const before = seen.requests.length;
  for (const [target, status] of [["/elsewhere", 302], ["/same", 304], ["/endless-404", 404]]) {
    const answer = await get(target);
    assert.deepEqual([answer.status, answer.octets.length], [status, 0]);
  }
  assert.equal(seen.requests.length - before, 3);
});

test("answers that were read, or have no body, leave their connection for the next", async () => {
  await get("/ok?a=%20");
  const before = seen.connections;
  for (const target of ["/same", "/ok?a=%20", "/same"]) await get(target);
  assert.equal(seen.connections, before);
});

test("more than the cap, or more than the time, is not waited for", async () => {
  await fails(get("/ok?a=%20", { cap: 9 }), "TooLarge");
  await fails(get("/slow", { limit: 50 }), "TimeoutError");
  await fails(get("/slow-body", { limit: 50 }), "TimeoutError");
});

test("a coding that nobody asked for is undone, and what it grows to counts", async () => {
  const { octets } = await get("/packed", { cap: 1000 });
  assert.equal(Buffer.from(octets).toString(), "0".repeat(1000));
  await fails(get("/packed", { cap: 999 }), "TooLarge");
});

test("what breaks off, is packed in an unknown way or is not there is no answer", async () => {
  await fails(get("/cut"), "Unreachable");
  await fails(get("/packed-short", { cap: 1000 }), "Unreachable");
  await fails(get("/packed-strangely"), "Unreachable");
  await fails(ask("GET", "http://127.0.0.1:1/", "/", [], undefined, 2000, 10), "Unreachable");
});

test("a target that a parser would change, or a URL that is none, is not asked", async () => {
  const before = seen.requests.length;
  for (const target of ["/a/../b", "/a\\b", "/a b", "", "/a#"]) await fails(get(target), "Rewritten");
  await fails(ask("GET", "nonsense", "/", [], undefined, 2000, 10), "Unsendable");
  await fails(ask("GET", `${origin.replace("//", "//user:secret@")}/x`, "/x", [], undefined, 2000, 10), "Unsendable");
  await fails(ask("GET", `${origin}/x`, "/x", ["x-a", "b\r\nx-c: d"], undefined, 2000, 10), "Unsendable");
  assert.equal(seen.requests.length, before);
});
