// What is uploaded weighs: `node size.mjs CONFIG`, with the files of each Worker and the function's zip. As wrangler does
// it, a Worker's modules are compressed together.

import * as fs from 'node:fs';
import * as zlib from 'node:zlib';

import { print } from './lib/rounds.mjs';

const { workers, zip } = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const modules = Object.entries(workers).map(([name, files]) => [name, Buffer.concat(files.map((file) => fs.readFileSync(file)))]);
const each = (weigh) => [Object.fromEntries(modules.map(([name, octets]) => [name, weigh(octets)]))];

print('Worker, gzip', 'bytes', each((octets) => zlib.gzipSync(octets).length));
print('Worker, as it is', 'bytes', each((octets) => octets.length));
print('Lambda@Edge, zip', 'bytes', [{ postern: fs.statSync(zip).size }]);
