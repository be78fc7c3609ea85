// Every kind of event, AWS's own examples among them, through the real handler: it answers each, and throws at none.
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { bearer, begin, cold, context, end, event, heal, sha256, token, viewerRequest, world } from "./lib.mjs";

const ORDERS = "/companies/1111/orders";
let edge;

before(async () => {
  await begin();
  edge = cold((policy) => {
    policy.origin["internal-orders"].auth_type = "AWS_IAM";
    policy.origin["external-orders"].auth_type = "AWS_IAM";
  });
});
beforeEach(heal);
after(() => {
  edge.remove();
  end();
});

const send = (event) => edge.handler(event, context());
const code = (answer) => JSON.parse(answer.body).code;
const examples = join(process.env.POSTERN_VECTORS ?? "", "aws-events/cloudfront-docs");
const skip = existsSync(examples) ? false : "POSTERN_VECTORS names no folder with AWS's example events";

test("AWS's example events are answered, each as its kind wants it", { skip }, async () => {
  const names = readdirSync(examples);
  assert.equal(names.length, 5);
  for (const name of names) {
    const example = JSON.parse(readFileSync(join(examples, name), "utf8"));
    const answer = await send(example);
    const { request, response } = example.Records?.[0].cf ?? {};
    if (name.startsWith("functions-")) {
      assert.equal(answer.status, "503", name);
    } else if (response) {
      // CORS is the policy's to say: the origin's own fields are gone, and all else is as it came.
      const { "access-control-allow-origin": _, "access-control-allow-credentials": __, ...kept } = response.headers;
      const { vary, ...rest } = answer.headers;
      assert.deepEqual({ ...answer, headers: rest }, { ...response, headers: kept }, name);
      assert.deepEqual(vary.map(({ value }) => value), ["Authorization, Origin"], name);
    } else {
      // No route of the policy: a generated 404.
      assert.equal(request.uri, "/");
      assert.deepEqual([answer.status, code(answer)], ["404", "not_found"], name);
    }
  }
});

test("what is permitted goes on as it came, with the assertion and nothing else", async () => {
  const came = viewerRequest(ORDERS, [bearer(token()), ["X-Many", "a"], ["x-many", "b"]], { querystring: "a=%20b&a=c" });
  const { headers, ...rest } = await send(came);
  const { headers: before, ...same } = came.Records[0].cf.request;
  assert.deepEqual(rest, same);
  const { "postern-assertion": assertion, "x-forwarded-host": host, ...others } = headers;
  const { authorization: _, ...kept } = before;
  assert.deepEqual(others, kept);
  assert.deepEqual(host, [{ key: "x-forwarded-host", value: "d111111abcdef8.cloudfront.net" }]);
  assert.equal(assertion.length, 1);
  const [head, claims] = assertion[0].value.split(".").map((part) => Buffer.from(part, "base64url").toString());
  assert.equal(JSON.parse(head).alg, "HS256");
  assert.equal(JSON.parse(claims).aud, "external-orders");
});

test("what a caller says to AWS does not stand beside the signature", async () => {
  const said = [["X-Amz-Date", "x"], ["x_amz_security_token", "x"], ["X-Amz-Content-Sha256", sha256("x")], ["X-Amzn-Trace-Id", "x"]];
  const answer = await send(viewerRequest(ORDERS, [bearer(token()), ...said]));
  assert.deepEqual(Object.keys(answer.headers).sort(), ["host", "postern-assertion", "x-amzn-trace-id", "x-forwarded-host"]);
});

test("a request that must have no body and says that it has one does not go on", async () => {
  for (const field of [["Content-Length", "5"], ["Transfer-Encoding", "chunked"]]) {
    for (const method of ["GET", "HEAD"]) {
      assert.equal((await send(viewerRequest(ORDERS, [bearer(token()), field], { method }))).status, "400");
    }
  }
});

test("what a caller says in our name, or to overrule the decision, does not go on", async () => {
  const forged = [
    "Postern-Assertion", "postern_assertion", "POSTERN.Other", "X-Original-URL", "X-HTTP-Method-Override", "X-Forwarded-For",
    "X-Forwarded-Host", "X_Forwarded_Host", "True-Client-IP", "SCRIPT_NAME", "Path-Info", "X-Middleware-Subrequest", "own_name",
  ];
  const { handle } = edge.require("./postern_edge.js");
  const came = () => viewerRequest(ORDERS, [bearer(token()), ...forged.map((name) => [name, "forged"])]);
  // Read in few words, and whole.
  for (const answer of [await send(came()), await handle(came(), 5000)]) {
    assert.deepEqual(Object.keys(answer.headers).sort(), ["host", "postern-assertion", "x-forwarded-host"]);
    for (const name of ["postern-assertion", "x-forwarded-host"]) assert.notEqual(answer.headers[name][0].value, "forged");
  }
});

test("of two functions the first leaves the token, and the second removes it", async () => {
  const twice = cold((policy) => (policy.cloudfront.decides_twice = true));
  const came = viewerRequest(ORDERS, [bearer(token())]);
  const first = await twice.handler(came, context());
  assert.deepEqual(first.headers.authorization, came.Records[0].cf.request.headers.authorization);
  const port = Number(new URL(world.url).port);
  const origin = { custom: { customHeaders: {}, domainName: "127.0.0.1", port, protocol: "http", path: "/origins/external-orders" } };
  const fields = Object.values(first.headers).flat().map(({ key, value }) => [key, value]);
  const second = await twice.handler(event("origin-request", { ...first, origin }, fields.slice(1)), context());
  assert.equal(second.headers.authorization, undefined);
  assert.ok(second.headers["postern-assertion"][0].value !== first.headers["postern-assertion"][0].value);
  twice.remove();
});

test("the caller's token goes on to an origin whose section says so", async () => {
  const other = cold((policy) => (policy.origin["external-orders"].token = "forwarded"));
  const came = viewerRequest(ORDERS, [bearer(token())]);
  const answer = await other.handler(came, context());
  assert.deepEqual(answer.headers.authorization, came.Records[0].cf.request.headers.authorization);
  assert.ok(answer.headers["postern-assertion"]);
  other.remove();
});

test("a location at the origin's host becomes the public URL", async () => {
  const other = cold((policy) => (policy.edge = { name: "edge", url: "http://127.0.0.1:1" }));
  const port = Number(new URL(world.url).port);
  const origin = { custom: { customHeaders: {}, domainName: "127.0.0.1", port, protocol: "http", path: "/origins/external-orders" } };
  const own = `${world.url}/origins/external-orders/a?b`;
  for (const [location, expected] of [
    [own, "http://127.0.0.1:1/a?b"], ["/a", "/a"], ["https://elsewhere.example/a", "https://elsewhere.example/a"],
    [`${world.url}/origins/vouchers/a`, `${world.url}/origins/vouchers/a`],
  ]) {
    const headers = { location: [{ key: "Location", value: location }] };
    const response = { status: "302", statusDescription: "Found", headers };
    const request = { method: "GET", uri: ORDERS, querystring: "", clientIp: "203.0.113.178", origin };
    const answer = await other.handler(event("origin-response", request, [], { response }), context());
    assert.deepEqual(answer.headers.location.map(({ value }) => value), [expected], location);
  }
  other.remove();
});

test("an origin that verifies the token itself is told the route and gets no assertion, whatever a caller says", async () => {
  const other = cold((policy) => {
    delete policy.origin["external-orders"].key;
    policy.origin["external-orders"].verifies = "token";
    // Nobody could tell its requests from a stranger's.
    policy.route = policy.route.filter((route) => route.public !== true);
  });
  const names = ["Postern-Route", "postern_route", "POSTERN.ROUTE", "Postern-Assertion", "postern_assertion"];
  for (const forged of [[], names.map((name) => [name, "forged"])]) {
    const came = viewerRequest(ORDERS, [bearer(token()), ...forged, ["X-Own", "kept"]]);
    // Read in few words, and whole.
    const { handle } = other.require("./postern_edge.js");
    for (const answer of [await other.handler(came, context()), await handle(came, 5000)]) {
      assert.deepEqual(
        Object.keys(answer.headers).sort(), ["authorization", "host", "postern-route", "x-forwarded-host", "x-own"],
      );
      assert.deepEqual(answer.headers["postern-route"], [{ key: "postern-route", value: "external-orders-list" }]);
      assert.deepEqual(answer.headers.authorization, came.Records[0].cf.request.headers.authorization);
    }
  }
  // The other origins have their assertion as before; a token that does not hold gets nobody anywhere.
  assert.equal((await other.handler(viewerRequest(ORDERS, [bearer("x")]), context())).status, "401");
  other.remove();
});

test("a container asks for secrets, metadata and keys once, and then for nothing", async () => {
  const other = cold();
  await other.handler(viewerRequest(ORDERS, [bearer(token())]), context());
  assert.deepEqual(world.asked, ["/", "/partners/.well-known/openid-configuration", "/partners/jwks"]);
  for (let count = 0; count < 20; count += 1) {
    const answer = await other.handler(viewerRequest(ORDERS, [bearer(token())]), context());
    assert.ok(answer.headers["postern-assertion"]);
  }
  assert.equal(world.asked.length, 3);
  other.remove();
});

test("all that a container asks for goes over one connection", async () => {
  const other = cold();
  const before = world.connections;
  await other.handler(viewerRequest(ORDERS, [bearer(token())]), context());
  assert.equal(world.asked.length, 3);
  assert.ok(world.connections - before <= 1, `${world.connections - before} connections`);
  other.remove();
});

test("a build with a development overlay serves nothing where nobody says that it may", async () => {
  const other = cold();
  delete process.env.POSTERN_DEVELOPMENT;
  const answer = await other.handler(viewerRequest(ORDERS, [bearer(token())]), context());
  process.env.POSTERN_DEVELOPMENT = "true";
  assert.deepEqual([answer.status, code(answer), world.asked.length], ["503", "temporarily_unavailable", 0]);
  other.remove();
});

const keyId = (answer) => JSON.parse(Buffer.from(answer.headers["postern-assertion"][0].value.split(".")[0], "base64url")).kid;
const rotated = () => {
  const secrets = JSON.parse(world.answers["/"].SecretString);
  for (const set of Object.values(secrets)) set.keys[0].kid = "rotated";
  return { SecretString: JSON.stringify(secrets) };
};
const later = (minutes) => {
  const { now } = Date;
  Date.now = () => now() + minutes * 60_000;
  return () => (Date.now = now);
};
const slowly = (answer, millis) => (_, response) => setTimeout(() => {
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify(answer));
}, millis);

test("secrets that take their time are taken, and a container that was frozen for long asks before it vouches", async () => {
  const other = cold();
  const ask = async () => keyId(await other.handler(viewerRequest(ORDERS, [bearer(token())]), context()));
  const first = await ask();
  world.answers["/"] = slowly(rotated(), 1200);
  const heal1 = later(6);
  // Old enough to be asked for by and by: this request still goes with what is held, the next with what has come.
  assert.deepEqual([await ask(), await ask()], [first, "rotated"]);
  heal1();
  const fresh = cold();
  const askFresh = async () => keyId(await fresh.handler(viewerRequest(ORDERS, [bearer(token())]), context()));
  heal();
  assert.equal(await askFresh(), first);
  world.answers["/"] = rotated();
  const heal2 = later(180);
  assert.equal(await askFresh(), "rotated", "the first request after the thaw");
  heal2();
  other.remove();
  fresh.remove();
});

test("secrets that hang delay one event, and the ones after it go with what is held", async () => {
  const other = cold();
  const ask = () => other.handler(viewerRequest(ORDERS, [bearer(token())]), context());
  await ask();
  world.answers["/"] = () => {};
  const back = later(6);
  const times = [];
  for (let count = 0; count < 4; count += 1) {
    const start = performance.now();
    assert.ok((await ask()).headers["postern-assertion"]);
    times.push(performance.now() - start);
  }
  back();
  assert.ok(times[0] > 1000 && times.slice(1).every((time) => time < 500), times.join(", "));
  other.remove();
});

test("with no time left nothing is waited for, and nothing is let through", async () => {
  for (const remaining of [0, 100, -1, NaN]) {
    const other = cold();
    world.answers["/"] = () => {};
    const answer = await other.handler(viewerRequest(ORDERS, [bearer(token())]), context(remaining));
    assert.deepEqual([answer.status, code(answer)], ["503", "temporarily_unavailable"], `${remaining}`);
    heal();
    other.remove();
  }
});

test("an event's own time ends before its entry has to answer for it", async () => {
  const other = cold();
  world.answers["/"] = () => {};
  const said = [];
  const { error } = console;
  console.error = (line) => said.push(line);
  const answer = await other.handler(viewerRequest(ORDERS, [bearer(token())]), context(1500));
  console.error = error;
  assert.deepEqual([answer.status, said], ["503", []]);
  other.remove();
});

test("once all is known, a decision takes no turn of the event loop", async () => {
  await send(viewerRequest(ORDERS, [bearer(token())]));
  const came = viewerRequest(ORDERS, [bearer(token())]);
  const { handle } = edge.require("./postern_edge.js");
  assert.ok(handle(came, 5000).headers["postern-assertion"], "no promise, and a permit");
});

test("each shape that is none of CloudFront's is answered with 503", async () => {
  const good = viewerRequest(ORDERS, [bearer(token())]);
  const change = (mutate) => {
    const copy = structuredClone(good);
    mutate(copy.Records[0].cf, copy);
    return copy;
  };
  const circular = {};
  circular.self = circular;
  const shapes = [
    undefined, null, 0, "", "text", [], {}, circular, { Records: [] }, { Records: {} }, { Records: [null] },
    { Records: [good.Records[0], good.Records[0]] }, 10n, { toJSON: () => { throw new Error("no"); } },
    change((cf) => delete cf.config), change((cf) => delete cf.request), change((cf) => (cf.config.eventType = "other")),
    change((cf) => delete cf.request.headers), change((cf) => (cf.request.headers = [])),
    change((cf) => (cf.request.headers.authorization = "text")), change((cf) => (cf.request.method = 7)),
    change((cf) => delete cf.request.uri), change((cf) => (cf.request.querystring = null)),
    change((cf) => (cf.request.uri = "/a?b")), change((cf) => (cf.request.body = "text")),
    change((cf) => (cf.request.headers.host = [{ key: "Other", value: "x" }])),
    change((cf) => (cf.request.headers.padding = [{ key: "Padding", value: "x".repeat(3_000_000) }])),
  ];
  for (const shape of shapes) {
    const answer = await send(shape);
    assert.equal(answer.status, "503");
    assert.equal(code(answer), "temporarily_unavailable");
  }
  assert.ok((await send(good)).headers["postern-assertion"], "and the next one is decided");
});

test("without a field at all, or with an odd one, there is a decision", async () => {
  const bare = viewerRequest(ORDERS);
  bare.Records[0].cf.request.headers = {};
  assert.equal((await send(bare)).status, "401");
  const empty = viewerRequest(ORDERS);
  empty.Records[0].cf.request.headers.authorization = [];
  assert.equal((await send(empty)).status, "401");
  const twice = [bearer(token()), bearer(token())];
  assert.deepEqual([(await send(viewerRequest(ORDERS, twice))).status], ["400"]);
});

test("an answer to HEAD has no body", async () => {
  const answer = await send(viewerRequest(ORDERS, [], { method: "HEAD" }));
  assert.deepEqual([answer.status, answer.body], ["401", undefined]);
});

const post = (fields, body) => viewerRequest(ORDERS, [bearer(token()), ...fields], { method: "POST", body });
const shown = (text, inputTruncated = false) => ({
  inputTruncated, action: "read-only", encoding: "base64", data: Buffer.from(text).toString("base64"),
});

test("a body for an origin that wants signatures is hashed, or its hash is asked for by name", async () => {
  const hash = async (came) => (await send(came)).headers["x-amz-content-sha256"]?.[0].value;
  assert.equal(await hash(post([], shown("an order"))), sha256("an order"));
  assert.equal(await hash(post([], shown(""))), sha256(""));
  assert.equal(await hash(post([["X-Amz-Content-Sha256", "0".repeat(64)]], shown("an order"))), sha256("an order"));
  assert.equal(await hash(post([["X-Amz-Content-Sha256", sha256("more")]], shown("mo", true))), sha256("more"));
  // Not included, but said to be there; or not there.
  assert.equal(await hash(post([["Content-Length", "4"], ["x-amz-content-sha256", sha256("more")]])), sha256("more"));
  assert.equal(await hash(post([["Content-Length", "0"]])), sha256(""));
  // In HTTP/2 a body need not be announced.
  assert.equal((await send(post([]))).status, "400");
  for (const fields of [[], [["X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"]], [["X-Amz-Content-Sha256", sha256("more").toUpperCase()]]]) {
    const answer = await send(post(fields, shown("mo", true)));
    assert.equal(answer.status, "400");
    assert.match(JSON.parse(answer.body).detail, /x-amz-content-sha256/);
  }
});

test("at the origin's request the origin must be the route's", async () => {
  const port = Number(new URL(world.url).port);
  const origin = (custom) => ({
    custom: { customHeaders: {}, domainName: "127.0.0.1", port, protocol: "http", path: "/origins/external-orders", ...custom },
  });
  const ask = (origin) => send(event("origin-request", {
    method: "GET", uri: ORDERS, querystring: "", clientIp: "203.0.113.178", origin,
  }, [bearer(token())]));
  const answer = await ask(origin({}));
  assert.deepEqual(Object.keys(answer.headers).sort(), ["host", "postern-assertion"]);
  assert.deepEqual(answer.origin, origin({}));
  for (const other of [origin({ path: "/origins/vouchers" }), origin({ path: "" }), origin({ port: 1 }),
    origin({ domainName: "elsewhere.example" }), origin({ protocol: "https" }), { s3: { domainName: "b", path: "" } }, undefined]) {
    const refused = await ask(other);
    assert.deepEqual([refused.status, code(refused)], ["502", "bad_gateway"]);
  }
});

test("an origin that refuses our assertion is 502 to the caller, and whatever is said to origins alone stays here", async () => {
  const respond = (status, fields, kind = "origin-response") => {
    const headers = {};
    for (const [key, value] of fields) (headers[key.toLowerCase()] ??= []).push({ key, value });
    const response = { status, statusDescription: "x", headers };
    return send(event(kind, { method: "GET", uri: ORDERS, querystring: "", clientIp: "203.0.113.178" },
      [["Origin", "https://app.ljg-sushi.example"]], { response }));
  };
  for (const name of ["WWW-Authenticate", "x-amzn-Remapped-www-authenticate"]) {
    const answer = await respond("401", [[name, "Postern-Assertion error=\"x\""], ["Via", "1.1 x"]]);
    assert.deepEqual([answer.status, code(answer)], ["502", "bad_gateway"]);
    assert.equal(answer.headers["access-control-allow-origin"][0].value, "https://app.ljg-sushi.example");
    assert.equal(answer.headers.via[0].value, "1.1 x");
  }
  const own = await respond("401", [["WWW-Authenticate", "Bearer"], ["Postern-Debug", "x"], ["Access-Control-Allow-Origin", "*"]]);
  assert.equal(own.status, "401");
  assert.equal(own.headers["postern-debug"], undefined);
  assert.equal(own.headers["access-control-allow-origin"][0].value, "https://app.ljg-sushi.example");
});

test("every answer varies by the fields that were decided on, next to what it varies by already", async () => {
  const vary = (answer) => answer.headers.vary?.map(({ value }) => value);
  const respond = (kind, uri, method, own) => {
    const headers = own.length === 0 ? {} : { vary: own.map((value) => ({ key: "Vary", value })) };
    const response = { status: "200", statusDescription: "OK", headers };
    return send(event(kind, { method, uri, querystring: "", clientIp: "203.0.113.178" }, [], { response }));
  };
  for (const kind of ["origin-response", "viewer-response"]) {
    for (const [own, expected] of [
      [[], ["Authorization, Origin"]],
      [["Accept"], ["Accept, Authorization, Origin"]],
      [["accept, ORIGIN", "Accept-Language"], ["accept, ORIGIN, Accept-Language, Authorization"]],
      [["origin,authorization"], ["origin,authorization"]],
      [["*"], ["*"]],
      [["Accept", "*"], ["Accept", "*"]],
    ]) {
      assert.deepEqual(vary(await respond(kind, ORDERS, "GET", own)), expected, `${kind} ${own}`);
    }
    assert.deepEqual(vary(await respond(kind, "/health", "GET", ["Accept"])), ["Accept, Origin"]);
    // It is signed for, with its body's hash.
    assert.deepEqual(vary(await respond(kind, ORDERS, "POST", [])), ["Authorization, X-Amz-Content-Sha256, Origin"]);
  }
  assert.deepEqual(vary(await send(viewerRequest(ORDERS))), ["Authorization, Origin"]);
  assert.deepEqual(vary(await send(viewerRequest("/nowhere"))), ["Origin"]);
});
