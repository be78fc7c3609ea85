"use strict";
// Questions to issuers, Secrets Manager and the permissions service, over Node's own HTTP client. `fetch` would be a library
// that a new container has to load first, which takes it longer than all else that it does.
//
// No redirect is followed, no coding is asked for, and what leaves is the target that was asked for. It retries nothing.

// Some firewalls let nobody in who has no name.
const USER_AGENT = "postern";
// Answers without a body leave their connection as it is.
const BODILESS = [204, 304];

const failure = (name) => Object.assign(new Error(name), { name });

/**
 * Asks; `fields` are names and values in turn, `body` is a text or `undefined`. An answer's body is read for 200 alone, up
 * to `cap` octets, and all of it within `limit` milliseconds. What is thrown has a name, and nothing of the URL.
 */
exports.ask = async (method, url, target, fields, body, limit, cap) => {
  const sent = begun(method, url, target, fields);
  let timer;
  try {
    return await new Promise((resolve, reject) => {
      const fail = (name) => reject(failure(name));
      timer = setTimeout(fail, limit, "TimeoutError");
      sent.on("error", () => fail("Unreachable"));
      sent.on("response", (response) => take(response, cap, resolve, fail));
      sent.end(body);
    });
  } catch (error) {
    // Nothing more is wanted of it.
    sent.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
};

function begun(method, url, target, fields) {
  const { protocol, hostname, port, pathname, search, hash, username, password } = parsed(url);
  // What a parser has made of the target is another one.
  if (pathname + search + hash !== target) throw failure("Rewritten");
  if (username !== "" || password !== "") throw failure("Unsendable");
  const headers = { "user-agent": USER_AGENT, "accept-encoding": "identity" };
  for (let index = 0; index < fields.length; index += 2) headers[fields[index]] = fields[index + 1];
  const { request } = require(protocol === "https:" ? "node:https" : "node:http");
  try {
    return request({ method, hostname, port, path: pathname + search, headers });
  } catch {
    throw failure("Unsendable");
  }
}

function parsed(url) {
  const place = URL.parse(url);
  if (place === null) throw failure("Unsendable");
  return place;
}

function take(response, cap, resolve, fail) {
  const { statusCode: status, headers } = response;
  const { "cache-control": cacheControl, "retry-after": retryAfter, age, etag } = headers;
  const answer = (octets) => resolve({ status, cacheControl, age, etag, retryAfter, octets });
  response.on("error", () => fail("Unreachable"));
  if (status !== 200) {
    answer(new Uint8Array());
    // A body that nobody reads would hold its connection.
    return BODILESS.includes(status) ? response.resume() : response.destroy();
  }
  const body = decoded(response, headers["content-encoding"]);
  if (body === undefined) return fail("Unreachable");
  const chunks = [];
  let length = 0;
  // Counted as it is decoded: a small body could grow past the cap.
  body.on("data", (chunk) => {
    length += chunk.length;
    if (length <= cap) return chunks.push(chunk);
    body.destroy();
    return fail("TooLarge");
  });
  // One that breaks off has no end: it is an error.
  body.on("error", () => fail("Unreachable"));
  body.on("end", () => answer(Buffer.concat(chunks)));
}

// Some servers code what nobody asked them to. `undefined` for a coding that is not known here.
function decoded(response, coding = "identity") {
  if (coding === "identity") return response;
  const { createBrotliDecompress, createGunzip, createInflate } = require("node:zlib");
  const create = { br: createBrotliDecompress, deflate: createInflate, gzip: createGunzip, "x-gzip": createGunzip };
  return Object.hasOwn(create, coding) ? response.pipe(create[coding]()) : undefined;
}
