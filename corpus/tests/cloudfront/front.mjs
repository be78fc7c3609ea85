// The local CloudFront with one function for the corpus: one behaviour, one origin, and a clock that the test sets.
//
//     node front.mjs CONFIG.json
//
// CONFIG.json: { local: FOLDER, package: FOLDER, port, outside: 'HOST:PORT', preload: FILE, clock: FILE }

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const config = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const load = (name) => import(pathToFileURL(join(config.local, 'cloudfront', name)).href);
const { Containers } = await load('containers.mjs');
const { Distribution } = await load('distribution.mjs');
const { Front } = await load('front.mjs');
const { behaviour, configOf, originOf } = await load('testing.mjs');

const environment = {
  NODE_OPTIONS: `--require ${JSON.stringify(config.preload)}`,
  POSTERN_CORPUS_OUTSIDE: config.outside,
  POSTERN_CORPUS_CLOCK: config.clock,
  // What a function signs its question for secrets with; nobody checks it here.
  AWS_ACCESS_KEY_ID: 'corpus',
  AWS_SECRET_ACCESS_KEY: 'corpus',
};
const containers = new Containers({ folder: config.package, environment });
const origin = originOf('outside', Number(config.outside.split(':')[1]));
const everything = behaviour(undefined, 'outside', ['viewer-request', 'origin-response']);
const front = new Front({ distribution: new Distribution(configOf([origin], [], everything)), containers });

// Frozen containers notice nothing of their parent's end.
process.on('exit', () => containers.killNow());
process.stdin.on('close', () => process.exit(0)).resume();

await front.listen(config.port);
