// The front as CloudFront: what events say, what CloudFront answers itself, what reaches an origin, how containers live.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';

import { IamUrl } from '../lib/iam-url.mjs';
import { SecretsManager } from '../lib/secrets-manager.mjs';
import { sha256Hex, sign } from '../lib/sigv4.mjs';
import { Distribution } from './distribution.mjs';
import { ask, behaviour, configOf, front, freePort, origin, originOf } from './testing.mjs';

const CREDENTIALS = { access_key_id: 'AKIAEXAMPLE', secret_access_key: 'secret' };
const REGION = 'eu-west-2';

let stand;
let service;
let signed;

before(async () => {
  service = await origin((_request, response) => response.end('ok'));
  const port = await freePort();
  signed = new IamUrl({ port, target: service.port, signers: [CREDENTIALS], region: REGION });
  await signed.start();
  const origins = [originOf('plain', service.port, '/base'), originOf('signed', port, '', 'E2QWRUHAPOMQZL')];
  const behaviours = [
    behaviour('/event*', 'plain', ['viewer-request']),
    behaviour('/get-only', 'plain', [], ['GET', 'HEAD']),
    behaviour('/signed/*', 'signed', []),
  ];
  const access = { credentials: CREDENTIALS, region: REGION };
  stand = await front(configOf(origins, behaviours, behaviour('', 'plain', [])), undefined, access);
});

after(async () => {
  await stand.close();
  signed.close();
  service.server.close();
  service.server.closeAllConnections();
});

const event = async (...request) => JSON.parse((await ask(stand.port, ...request)).body);
const pick = (fields, name) => fields.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);

test('an event has target and fields as they came, repeated ones repeated', async () => {
  const { config, request } = await event('GET', '/event/%7C//a?x=%20&&y', ['x-case', 'event', 'X-One', 'a', 'x-one', 'b,c', 'stand-in-request-id', 'r-1']);
  assert.equal(config.eventType, 'viewer-request');
  assert.equal(config.requestId, 'r-1');
  assert.equal(request.uri, '/event/%7C//a');
  assert.equal(request.querystring, 'x=%20&&y');
  assert.equal(request.clientIp, '127.0.0.1');
  assert.deepEqual(request.headers['x-one'], [{ key: 'X-One', value: 'a' }, { key: 'x-one', value: 'b,c' }]);
  assert.equal(request.headers['stand-in-request-id'], undefined);
  assert.equal(request.body, undefined);
});

test('an event does not show disallowed fields', async () => {
  const { request } = await event('GET', '/event', ['x-case', 'event', 'Connection', 'close', 'X-Edge-Any', '1', 'X-Forwarded-Proto', 'https', 'X-Real-IP', '1', 'X-Amz-Cf-Id', '1']);
  assert.deepEqual(Object.keys(request.headers).toSorted(), ['host', 'x-case']);
});

test('an event shows 40 KB of a body, in base64', async () => {
  for (const [size, inputTruncated] of [[0, false], [3, false], [40 * 1024, false], [40 * 1024 + 1, true]]) {
    const { request } = await event('POST', '/event', ['x-case', 'event', 'content-length', String(size)], Buffer.alloc(size, 'x'));
    const shown = Buffer.alloc(Math.min(size, 40 * 1024), 'x').toString('base64');
    assert.deepEqual(request.body, { action: 'read-only', data: sha256Hex(shown), encoding: 'base64', inputTruncated });
  }
});

test('octets that are no UTF-8 come as ISO 8859-1, and go on as they came', async () => {
  const { request } = await event('GET', '/event', ['x-case', 'event', 'x-latin', '\xff', 'x-utf', '\xc3\xa9']);
  assert.equal(request.headers['x-latin'][0].value, '\u00ff');
  assert.equal(request.headers['x-utf'][0].value, '\u00e9');
  await ask(stand.port, 'GET', '/other', ['x-latin', '\xff']);
  assert.deepEqual(pick(service.seen.at(-1).fields, 'x-latin'), ['\xff']);
});

for (const [what, status, method, path, fields, body] of [
  ['a method that the behaviour does not allow', 403, 'POST', '/get-only', ['content-length', '0']],
  ['a GET with a body', 403, 'GET', '/x', ['content-length', '1'], 'x'],
  ['a URL above 8,192 octets', 413, 'GET', `/${'a'.repeat(8192)}`],
  ['a head above 32,768 octets', 413, 'GET', '/x', ['x-long', 'a'.repeat(32_768)]],
  ['the absolute form', 400, 'GET', 'http://other.example/x'],
  ['a fragment', 400, 'GET', '/x#y'],
]) {
  test(`CloudFront itself answers ${what} with ${status}`, async () => {
    const seen = service.seen.length;
    const answer = await ask(stand.port, method, path, fields, body);
    assert.equal(answer.status, status);
    assert.equal(answer.headers['x-cache'], 'Error from cloudfront');
    assert.equal(service.seen.length, seen);
  });
}

test('an origin sees the request below its path, its own host, and no field of the connection', async () => {
  await ask(stand.port, 'POST', '/x?y', ['content-length', '2', 'TE', 'trailers', 'X-Kept', '1', 'Authorization', 'Bearer t', 'X-Forwarded-For', '192.0.2.1', 'X-Real-IP', '9'], '{}');
  const { method, target, fields, body } = service.seen.at(-1);
  assert.deepEqual([method, target, String(body)], ['POST', '/base/x?y', '{}']);
  assert.deepEqual(pick(fields, 'host'), [`127.0.0.1:${service.port}`]);
  assert.deepEqual(pick(fields, 'authorization'), ['Bearer t']);
  assert.deepEqual(pick(fields, 'x-kept'), ['1']);
  assert.deepEqual(pick(fields, 'x-forwarded-for'), ['192.0.2.1,127.0.0.1']);
  for (const name of ['te', 'x-real-ip']) assert.deepEqual(pick(fields, name), []);
});

test('origin access control replaces the authorization, and the function URL takes it', async () => {
  const fields = ['Authorization', 'Bearer t'];
  const answer = await ask(stand.port, 'GET', '/signed/a%7Cb?z=1&a=%20', fields);
  assert.equal(answer.status, 200, String(answer.body));
  assert.match(pick(service.seen.at(-1).fields, 'authorization')[0], /^AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE\//);
});

test('a function URL takes a body with its hash and no other', async () => {
  const post = (fields) => ask(stand.port, 'POST', '/signed/x', ['content-length', '2', ...fields], '{}');
  assert.equal((await post(['x-amz-content-sha256', sha256Hex('{}')])).status, 200);
  for (const fields of [[], ['x-amz-content-sha256', sha256Hex('other')]]) {
    const answer = await post(fields);
    assert.equal(answer.status, 403);
    assert.equal(typeof JSON.parse(answer.body).Message, 'string');
  }
});

test('a function URL takes no signature that is changed, late, or another’s', async () => {
  const port = await freePort();
  const url = new IamUrl({ port, target: service.port, signers: [CREDENTIALS], region: REGION });
  await url.start();
  const now = Date.now();
  const send = async ({ credentials = CREDENTIALS, at = now, region = REGION, target = '/a', extra = [] }) => {
    const headers = { host: 'viewer.example' };
    const added = await sign({ method: 'GET', target: '/a', headers, body: '' }, { credentials, region, service: 'lambda', now: at });
    return (await ask(port, 'GET', target, [...Object.entries(added).flat(), ...extra])).status;
  };
  assert.equal(await send({}), 200);
  assert.equal(await send({ target: '/b' }), 403);
  assert.equal(await send({ target: '/a?b' }), 403);
  assert.equal(await send({ at: now - 6 * 60_000 }), 403);
  assert.equal(await send({ at: now + 6 * 60_000 }), 403);
  assert.equal(await send({ region: 'us-east-1' }), 403);
  assert.equal(await send({ credentials: { ...CREDENTIALS, secret_access_key: 'other' } }), 403);
  assert.equal(await send({ credentials: { ...CREDENTIALS, access_key_id: 'AKIAOTHER' } }), 403);
  assert.equal(await send({ extra: ['x-amz-meta', 'not signed'] }), 403);
  url.close();
});

test('Secrets Manager tells its secret to who signs, and what is wrong to others', async () => {
  const port = await freePort();
  const arn = `arn:aws:secretsmanager:${REGION}:123456789012:secret:s-AbCdEf`;
  const manager = new SecretsManager({ port, arn, credentials: CREDENTIALS, values: { A: { keys: [] }, B: 'text' } });
  await manager.start();
  const call = async ({ credentials = CREDENTIALS, id = arn, target = 'secretsmanager.GetSecretValue' } = {}) => {
    const body = JSON.stringify({ SecretId: id });
    const headers = { host: 'viewer.example', 'x-amz-target': target, 'content-type': 'application/x-amz-json-1.1' };
    const added = await sign({ method: 'POST', target: '/', headers, body }, { credentials, region: REGION, service: 'secretsmanager' });
    const { host, ...sent } = { ...headers, ...added };
    const answer = await ask(port, 'POST', '/', [...Object.entries(sent).flat(), 'content-length', String(body.length)], body);
    return [answer.status, JSON.parse(answer.body)];
  };
  const [status, answer] = await call();
  assert.equal(status, 200, JSON.stringify(answer));
  assert.deepEqual(JSON.parse(answer.SecretString), { A: '{"keys":[]}', B: 'text' });
  assert.equal((await call({ id: `${arn}x` }))[1].__type, 'ResourceNotFoundException');
  assert.equal((await call({ credentials: { ...CREDENTIALS, access_key_id: 'x' } }))[1].__type, 'UnrecognizedClientException');
  assert.equal((await call({ credentials: { ...CREDENTIALS, secret_access_key: 'x' } }))[1].__type, 'InvalidSignatureException');
  assert.equal((await call({ target: 'secretsmanager.ListSecrets' }))[1].__type, 'UnknownOperationException');
  manager.close();
});

test('behaviours are taken in order, by the path that RFC 3986 makes of it', () => {
  const origins = ['a', 'b', 'c', 'd'].map((id) => originOf(id, 1));
  const patterns = [['/a/*/b', 'a'], ['/a/*', 'b'], ['*.jp?', 'c']].map(([pattern, id]) => behaviour(pattern, id, []));
  const distribution = new Distribution(configOf(origins, patterns, behaviour('', 'd', [])));
  for (const [path, id] of [
    ['/a/x/b', 'a'], ['/a/x/y/b', 'a'], ['/a/x', 'b'], ['/A/x', 'd'], ['/x.jpg', 'c'], ['/x.jp', 'd'], ['/x/../a/y', 'b'],
    ['/%61/y', 'b'], ['/a%2Fy', 'd'], ['/', 'd'],
  ]) assert.equal(distribution.behaviourFor(path).origin.id, id, path);
});

test('what this stand-in cannot do is refused when it starts', () => {
  const broken = (change) => () => new Distribution(configOf([originOf('a', 1)], [{ ...behaviour('/x', 'a', ['viewer-request']), ...change }], behaviour('', 'a', [])));
  assert.doesNotThrow(broken({}));
  assert.throws(broken({ CachePolicyId: '658327ea-f89d-4fab-a63d-7e88639e58f6' }), /cache/);
  assert.throws(broken({ OriginRequestPolicyId: undefined }), /origin request policy/);
  assert.throws(broken({ TargetOriginId: 'b' }), /no such origin/);
  assert.throws(broken({ LambdaFunctionAssociations: { Items: [{ EventType: 'viewer' }] } }), /no such event/);
});

const stateOf = (pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1][0];

test('a container is frozen between events, used again, and ends with its front', { skip: process.platform !== 'linux' && 'needs /proc' }, async (context) => {
  const other = await front(configOf([originOf('o', service.port)], [], behaviour('', 'o', ['viewer-request'])));
  context.after(other.close);
  for (let served = 1; served <= 3; served += 1) {
    await ask(other.port, 'GET', '/', ['x-case', 'event']);
    const { started, pids } = other.containers.describe();
    assert.equal(started, 1);
    // A signal takes its time.
    for (let waited = 0; stateOf(pids[0]) !== 'T' && waited < 100; waited += 1) await setTimeout(20);
    assert.equal(stateOf(pids[0]), 'T');
  }
  // Two at a time need two.
  await Promise.all([1, 2].map(() => ask(other.port, 'GET', '/', ['x-case', 'slow'])));
  assert.equal(other.containers.describe().started, 2);
  await other.containers.endAll();
  assert.equal(other.containers.describe().containers, 0);
  await ask(other.port, 'GET', '/', ['x-case', 'event']);
  assert.equal(other.containers.describe().started, 3);
});

test('a container knows no variable but those it is given', async () => {
  process.env.STAND_IN_SECRET = 'not for functions';
  await stand.containers.endAll();
  const answer = await stand.containers.invoke({ Records: [{ cf: { request: { headers: { 'x-case': [{ value: 'environment' }] } } } }] }, 'r', 5000);
  assert.equal(answer.STAND_IN_SECRET, undefined);
  assert.equal(answer.PATH, undefined);
});
