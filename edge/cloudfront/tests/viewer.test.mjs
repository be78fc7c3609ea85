// A viewer's request in few words, and the same event read whole: whatever it is, both come to the same.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bearer, begin, cold, context, end, token, viewerRequest } from "./lib.mjs";

const EVENTS = 4000;
const ORDERS = "/companies/1111/orders";
let edge;

before(async () => {
  await begin();
  edge = cold();
});
after(() => {
  edge.remove();
  end();
});

/** Numbers that look like chance and are the same in every run. */
function chance(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const VALUES = ["", "x", "a, b", "application/json", "caf\u00e9", "\ud800", "line\nbreak", "\u4e2d", "5", "{", "x\r", "\u0000"];
const NAMES = [
  "Postern-Assertion", "postern_assertion", "POSTERN.Other", "Postern-Route", "X-Original-URL", "X-HTTP-Method-Override", "Forwarded",
  "Connection", "TE", "Via", "Content-Length", "Transfer-Encoding", "X-Amz-Date", "X-Edge-Thing", "Accept", "Origin",
  "X-Company", "Caf\u00e9", "X-Postern,Y", "Postern-A,Accept", "",
];

/** An event of a viewer's request, often a good one, with up to three things that may be wrong or strange. */
function made(pick, credentials) {
  const of = (list) => list[pick(list.length)];
  const fields = [["Authorization", of(credentials)], ...Array.from({ length: pick(4) }, () => [of(NAMES), of(VALUES)])];
  const event = viewerRequest(of([ORDERS, ORDERS, ORDERS, "/companies/2222/orders", "/", "/a/../b", "/a?b", "/caf\u00e9", "/a\nb"]), fields, {
    method: of(["GET", "GET", "GET", "HEAD", "OPTIONS", "POST", "get", "", "PATCH"]),
    querystring: of(["", "", "a=%20b", "a=b&c", "a b", "?", "\ud800"]),
  });
  const [{ cf }] = event.Records;
  const { request, config } = cf;
  const strange = [
    // As JSON makes it: a field of that name.
    () => (request.headers = JSON.parse(`{"__proto__":[{"key":"__proto__","value":"x"}],"constructor":[{"value":"x"}]}`)),
    // The same beside the others.
    () => Object.defineProperty(request.headers, "__proto__", {
      value: [{ key: "__proto__", value: "x" }], enumerable: true, configurable: true, writable: true,
    }),
    () => (request.headers.accept = []),
    () => (request.headers["x-original-url"] = []),
    () => (request.headers.accept = [{ value: "no key" }]),
    () => (request.headers.accept = [{ key: null, value: "x" }]),
    () => (request.headers.accept = [{ key: "Other", value: "x" }]),
    // `K` for a Kelvin, whose lower case is a letter.
    () => (request.headers["x-k"] = [{ key: "X-\u212a", value: "x" }]),
    () => (request.headers.Accept = [{ key: "Accept", value: "x" }]),
    () => (request.headers.accept = [{ key: "Accept" }]),
    () => (request.headers.accept = [{ key: "Accept", value: 7 }]),
    () => (request.headers.accept = ["x"]),
    () => (request.headers.accept = "x"),
    () => (request.headers.accept = [[]]),
    () => (request.headers.accept = [{ key: "Accept", value: "x", more: { kept: [1] } }]),
    () => (request.headers = []),
    () => (request.body = { inputTruncated: false, action: "read-only", encoding: "text", data: of(["", "x"]) }),
    () => (request.body = null),
    () => (request.origin = { s3: {} }),
    () => (request.origin = {}),
    () => (request.clientIp = of([7, null])),
    () => delete request.clientIp,
    () => (request.uri = null),
    () => (request.unknown = { kept: true }),
    () => (config.requestId = of([7, "x\ny", "x y"])),
    () => delete config.requestId,
    () => (config.distributionId = 7),
    () => (config.eventType = of(["origin-request", "viewer-response", "other"])),
    () => event.Records.push({}),
    () => (cf.config = []),
    () => (cf.request = null),
    () => (cf.response = {}),
    () => (request.headers.padding = [{ key: "Padding", value: "x".repeat(70_000) }]),
  ];
  for (let count = pick(3); count > 0; count -= 1) {
    try {
      of(strange)();
    } catch {
      // What it would change is gone.
    }
  }
  return event;
}

/** What is not the same twice in an assertion is taken out. */
function settled(answer) {
  const assertion = answer.headers?.["postern-assertion"]?.[0];
  if (!assertion?.value.includes(".")) return answer;
  const [head, claims] = assertion.value.split(".").map((part) => Buffer.from(part, "base64url").toString());
  const { jti, iat, exp, ...said } = JSON.parse(claims);
  assert.ok(jti && exp > iat);
  return { ...answer, headers: { ...answer.headers, "postern-assertion": [{ ...assertion, value: { head, said } }] } };
}

test("a viewer's request in few words is decided on, and goes on, as the same event read whole", async () => {
  const { log } = console;
  const good = bearer(token())[1];
  const credentials = [good, good, good, good, good.replace("Bearer", "bearer"), "Bearer x", `${good.slice(0, -4)}AAAA`, "Basic x", ""];
  const { handle } = edge.require("./postern_edge.js");
  const { read } = edge.require("./event.js");
  await edge.handler(viewerRequest(ORDERS, [bearer(token())]), context());
  const seen = { brief: 0, permits: 0, stripped: 0 };
  const pick = chance(20);
  console.log = () => {};
  try {
    for (let count = 0; count < EVENTS; count += 1) {
      const text = JSON.stringify(made(pick, credentials));
      const event = JSON.parse(text);
      const answer = settled(await edge.handler(event, context()));
      const whole = settled(await handle(JSON.parse(text), 5000));
      assert.deepEqual(answer, whole, text);
      assert.equal(JSON.stringify(event), text, "the event itself stays as it came");
      const isPermit = answer.uri !== undefined;
      seen.brief += read(event) === undefined ? 0 : 1;
      seen.permits += isPermit ? 1 : 0;
      seen.stripped += isPermit && Object.keys(event.Records[0].cf.request.headers).some((name) => !(name in answer.headers)) ? 1 : 0;
    }
  } finally {
    console.log = log;
  }
  // Both readings, and all that is looked at, were met often.
  for (const [what, count] of Object.entries(seen)) assert.ok(count > EVENTS / 100, `${what}: ${count}`);
});

test("what has no place in few words is read whole", () => {
  const { read } = edge.require("./event.js");
  const { decide } = edge.require("./postern_edge.js");
  const brief = ({ text, count }) => decide(text, text.length, count, 5000);
  const good = read(viewerRequest(ORDERS, [bearer("x")]));
  assert.equal(typeof brief(good), "string");
  for (const [what, other] of Object.entries({
    "a line break": read(viewerRequest(ORDERS, [["X-A", "a\nb\nc\nd"]])),
    "a letter that is not ASCII": read(viewerRequest(ORDERS, [["X-A", "caf\u00e9"]])),
    "letters that are not ASCII at the end": read(viewerRequest(ORDERS, [["X-A", "\u4e2d".repeat(9)]])),
    "a name with a comma": read(viewerRequest(ORDERS, [["Postern-A,b", "x"]])),
    "a path with a query": read(viewerRequest(`${ORDERS}?x`)),
    "another name": { ...good, text: good.text.replace("\nAuthorization\n", "\nOther\n") },
    "fewer lines than it says": { ...good, count: good.count + 3 },
    "more lines than it says": { ...good, count: good.count - 3 },
    "half a field": { text: `${good.text}\nx-a\nX-A`, count: good.count + 2 },
    "nothing": { text: "", count: 4 },
  })) {
    assert.equal(brief(other), undefined, what);
  }
});
