// The function at CloudFront beside what people write by hand: whole event in, request out, in the project's Node; and a
// fresh container up to its first answer. Prints samples, one line of JSON each (see ../src/lib.rs), and no verdict.
//
//     node bench/cloudfront/handler.mjs --zip FOLDER [--rounds N] [--quick] [--only ROW]
//
// FOLDER is the unpacked zip of `cargo xtask package cloudfront` for bench/policy.toml.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { COMPANY, TARGET } from '../lib/fixture.mjs';
import { checked } from './checked.mjs';
import { Container, contenders } from './contenders.mjs';
import { event } from './event.mjs';
import { world } from './world.mjs';

const TOKENS = 8192;
const WARM_UP_MS = 1500;
const MEASURE_MS = 60;

const { values: given } = parseArgs({
  options: {
    zip: { type: 'string' },
    rounds: { type: 'string', default: '121' },
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
});
if (!given.zip) throw new Error('`--zip FOLDER` is missing: the unpacked zip of the function');
const rounds = given.quick ? 3 : Number(given.rounds);
const folder = mkdtempSync(join(tmpdir(), 'postern-bench-'));
const outside = await world(['POSTERN_KEY_ORDERS']);
try {
  const files = contenders(resolve(given.zip), folder, outside);
  await run(files, await checked(files, outside));
} finally {
  outside.close();
  rmSync(folder, { recursive: true, force: true });
}

async function run(files, running) {
  const { version } = process;
  const notes = [`Node ${version}`, `jose ${packaged('jose')}`, `aws-jwt-verify ${packaged('aws-jwt-verify')}`];
  const count = given.quick ? TOKENS / 4 : TOKENS;
  // Postern remembers 2,048 tokens at most, so that each of these is new to it whenever its turn comes.
  const texts = Array.from({ length: count }, (_, n) => event({ uri: TARGET, token: outside.issuer.token(n) }));
  const names = Object.keys(running);
  await Promise.all(names.map((name) => running[name].ask('tokens', { texts })));
  for (const [row, how, more] of [
    ['handler, repeated token', 'repeated', []],
    ['handler, new token', 'new', [`${count} tokens in turn`]],
  ]) {
    if (given.only && given.only !== how) continue;
    for (const name of names) await running[name].ask('measure', { row: how, milliseconds: WARM_UP_MS });
    const measure = (name) => running[name].ask('measure', { row: how, milliseconds: MEASURE_MS });
    print({ row, unit: 'us cpu', rounds: await inTurn(names, measure), notes: [...notes, ...more] });
  }
  for (const name of names) await running[name].end();
  if (given.only && given.only !== 'start') return;
  const first = [];
  await inTurn(names, async (name) => {
    const container = await Container.start(files[name], outside);
    const { answer, ...figures } = await container.ask('first', { text: texts[0] });
    await container.end();
    if (!answer.headers?.authorization) throw new Error(`${name} did not permit its first event`);
    return figures;
  }, first);
  const figure = (which) => first.map((round) => Object.fromEntries(names.map((name) => [name, round[name][which]])));
  const what = 'from the handler being loaded to its first answer, keys (and secrets) fetched on the way';
  print({ row: 'fresh container, first event', unit: 'ms', rounds: figure('wall'), notes: [...notes, what] });
  const whole = 'of the whole process, Node itself among it';
  print({ row: 'fresh container, processor time', unit: 'ms cpu', rounds: figure('cpu'), notes: [...notes, whole] });
}

/** Each round has every contender's figure; who begins changes from round to round. */
async function inTurn(names, measure, into = []) {
  for (let round = 0; round < rounds; round += 1) {
    const figures = {};
    for (let place = 0; place < names.length; place += 1) {
      const name = names[(round + place) % names.length];
      figures[name] = await measure(name);
    }
    into.push(figures);
  }
  return into;
}

function packaged(name) {
  const path = join(import.meta.dirname, '../node_modules', name, 'package.json');
  return JSON.parse(readFileSync(path, 'utf8')).version;
}

function print(samples) {
  console.log(JSON.stringify(samples));
}
