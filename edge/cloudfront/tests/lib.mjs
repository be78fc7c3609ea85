// What the function's own tests share: the unpacked function with its URLs on the loopback interface, an issuer, a
// permissions service and Secrets Manager to answer it, tokens that are really signed, events as CloudFront makes them.
import { createHash, createPrivateKey, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const VARIABLE = "POSTERN_FUNCTION";

/** The folder that the function's zip was unpacked into. */
export function unpacked() {
  const folder = process.env[VARIABLE];
  if (!folder) throw new Error(`${VARIABLE} is not set: run \`cargo xtask test --only function\``);
  return folder;
}

const base64url = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
const { publicKey, privateKey } = generateKeyPairSync("ed25519");
const KEY_ID = "the-test's-own";

/** A partner's access token, different from every other. */
export function token(subject = "1111", claims = {}) {
  const now = Math.floor(Date.now() / 1000);
  const header = base64url({ alg: "EdDSA", kid: KEY_ID, typ: "at+jwt" });
  const payload = base64url({
    iss: world.partners,
    sub: subject,
    client_id: subject,
    aud: "https://api.ljg-sushi.example",
    token_use: "access",
    scope: "orders/list.orders orders/get.order orders/create.order",
    iat: now,
    exp: now + 3600,
    jti: randomBytes(9).toString("base64url"),
    ...claims,
  });
  const signature = sign(null, Buffer.from(`${header}.${payload}`), privateKey).toString("base64url");
  return `${header}.${payload}.${signature}`;
}

/** An event of a viewer's request; fields are pairs. */
export function viewerRequest(uri, fields = [], more = {}) {
  return event("viewer-request", { method: "GET", uri, querystring: "", clientIp: "203.0.113.178", ...more }, fields);
}

export function event(eventType, request, fields = [], more = {}) {
  const headers = {};
  for (const [key, value] of [["Host", "d111111abcdef8.cloudfront.net"], ...fields]) {
    (headers[key.toLowerCase()] ??= []).push({ key, value });
  }
  const config = { distributionDomainName: "d111111abcdef8.cloudfront.net", distributionId: "EDFDVBD6EXAMPLE" };
  const cf = { config: { ...config, eventType, requestId: "EXAMPLE==" }, request: { ...request, headers }, ...more };
  return { Records: [{ cf }] };
}

export const bearer = (value) => ["Authorization", `Bearer ${value}`];
export const context = (remaining = 5000) => ({ getRemainingTimeInMillis: () => remaining });
export const sha256 = (octets) => createHash("sha256").update(octets).digest("hex");

const jwks = { keys: [{ ...publicKey.export({ format: "jwk" }), kid: KEY_ID, use: "sig", alg: "EdDSA" }] };
const assertionKeys = (name) => ({
  keys: [{ kty: "oct", kid: `test-${name}`, alg: "HS256", k: createHash("sha256").update(name).digest("base64url") }],
});

/** Whoever the function asks: what each answers can be replaced, by path. */
export const world = { answers: {}, asked: [], connections: 0, partners: "", url: "" };

const server = createServer((request, response) => {
  const path = request.url.startsWith("/users/") ? "/users/" : request.url;
  world.asked.push(path);
  const answer = world.answers[path];
  if (typeof answer === "function") return answer(request, response);
  response.writeHead(answer === undefined ? 404 : 200, { "content-type": "application/json" });
  response.end(answer === undefined ? "" : JSON.stringify(answer));
});

server.on("connection", () => (world.connections += 1));

/** Starts whoever answers, and heals it. */
export async function begin() {
  if (!server.listening) await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  world.url = `http://127.0.0.1:${server.address().port}`;
  world.partners = `${world.url}/partners`;
  heal();
}

export function end() {
  server.close();
  server.closeAllConnections();
}

export function heal() {
  const names = Object.values(policy().origin).map((origin) => origin.key);
  const secrets = Object.fromEntries(names.map((name) => [name, assertionKeys(name)]));
  world.asked = [];
  world.answers = {
    "/partners/.well-known/openid-configuration": { issuer: world.partners, jwks_uri: `${world.partners}/jwks` },
    "/partners/jwks": jwks,
    "/": { SecretString: JSON.stringify(secrets) },
  };
}

/** The policy that was packed. */
export function policy() {
  return JSON.parse(JSON.parse(readFileSync(join(unpacked(), "config.json"), "utf8")).policy);
}

/** A function in a process that has not seen an event: its own copy, with what is outside on the loopback interface. */
export function cold(change = () => {}, files = {}) {
  const folder = mkdtempSync(join(tmpdir(), "postern-function-"));
  cpSync(unpacked(), folder, { recursive: true });
  const own = policy();
  own.development = true;
  own.issuer.partners.url = world.partners;
  own.issuer.users.url = `${world.url}/users-pool`;
  delete own.issuer.users.preset;
  Object.assign(own.issuer.users, { algorithms: ["RS256"], token_use: "access", audience: "any" });
  own.cloudfront.url = world.url;
  for (const [name, origin] of Object.entries(own.origin)) origin.url = `${world.url}/origins/${name}`;
  own.origin.permissions.url = world.url;
  change(own);
  const config = { policy: JSON.stringify(own), shadow: "", seeds: "", ...files };
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  Object.assign(process.env, {
    POSTERN_DEVELOPMENT: "true",
    AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
    AWS_SECRET_ACCESS_KEY: "not a secret",
    AWS_SESSION_TOKEN: "a session",
  });
  const require = createRequire(join(folder, "x.js"));
  const { handler } = require("./index.js");
  return { handler, folder, require, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
