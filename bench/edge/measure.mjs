// Measures the Workers that run: `node measure.mjs CONFIG [--quick]`. `cargo xtask bench edge` builds and starts them,
// each in a workerd of its own, and reads what this prints.

import * as fs from 'node:fs';
import * as http from 'node:http';

import { issuer } from '../lib/fixture.mjs';
import { TARGET } from '../lib/names.mjs';
import { print, rounds } from '../lib/rounds.mjs';
import { check } from './check.mjs';
import { CONNECTIONS, load } from './load.mjs';
import { startUp } from './start.mjs';

// More than any cache of tokens here holds, twice over: in turn, each is new again when its turn comes.
const TOKENS = 4096;
// Many and short: what else a machine does comes in bursts of seconds, and a round of all contenders takes two. Of rounds
// that take ten, each ratio is one of two bursts.
const ROUNDS = 200;
// A share of the tokens, so that these go round.
const REQUESTS = TOKENS / 8;
// V8 makes other code of the hot functions in the first seconds.
const WARM_UPS = 24;
const START_UP_ROUNDS = 81;

const [path, option] = process.argv.slice(2);
const config = JSON.parse(fs.readFileSync(path, 'utf8'));
const quick = option === '--quick';

const users = issuer(`http://127.0.0.1:${config.issuer}`);
const server = http.createServer((request, response) => {
  response.setHeader('content-type', 'application/json').setHeader('cache-control', 'max-age=3600');
  response.end(JSON.stringify(users.jwks));
});
await new Promise((resolve, reject) => server.once('error', reject).listen(config.issuer, '127.0.0.1', resolve));

for (const contender of config.contenders) await check(contender, users);

const one = [users.token(0)];
const many = Array.from({ length: TOKENS }, (_, n) => users.token(n));
await run('one token repeated', one);
await run('every token new', many);
await startUp(config, users, quick ? 1 : START_UP_ROUNDS);
server.close();

async function run(row, tokens) {
  const turns = new Map();
  // Each contender's next share of the tokens.
  const turn = ({ name, base, process }) => {
    const from = ((turns.get(name) ?? 0) * REQUESTS) % tokens.length;
    turns.set(name, (turns.get(name) ?? 0) + 1);
    return load(base + TARGET, process, tokens.slice(from, from + REQUESTS), REQUESTS);
  };
  await rounds(quick ? 1 : WARM_UPS, config.contenders, turn);
  const figures = await rounds(quick ? 1 : ROUNDS, config.contenders, turn);
  const notes = [`${CONNECTIONS} connections, ${REQUESTS} requests a round`];
  if (tokens.length > 1) notes.push(`${tokens.length} tokens in turn`);
  if (figures.cpu.every((round) => Object.values(round).every((figure) => figure !== undefined))) {
    print(row, 'us cpu', figures.cpu, notes);
  } else {
    console.error(`${row}: this system does not tell the processor time of a process (Linux does): requests/s only`);
  }
  print(`${row}, throughput`, 'requests/s', figures.rate, notes);
}
