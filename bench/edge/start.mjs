// Start-up: the first decision of a fresh isolate, in a process that runs and in a fresh one. The fetch of the issuer's
// keys and the way to the origin are part of it, for all alike.

import * as child from 'node:child_process';

import { TARGET } from '../lib/names.mjs';
import { print, rounds } from '../lib/rounds.mjs';
import { get } from './check.mjs';
import { fieldsWith } from './load.mjs';
import { processorTime } from './processor.mjs';

/** Prints the rows of start-up. */
export async function startUp({ workerd, contenders, loader }, issuer, count) {
  const token = issuer.token(0);
  if (count > 1) await rounds(1, contenders, ({ name }) => isolate(loader, name, token));
  const isolates = await rounds(count, contenders, ({ name }) => isolate(loader, name, token));
  print('fresh isolate, first decision', 'ms', isolates.wall, ['in a workerd that runs, keys fetched on the way']);
  if (isolates.cpu.every((round) => Object.values(round).every((figure) => figure > 0))) {
    print('fresh isolate, first decision, processor time', 'ms cpu', isolates.cpu, ['of the whole workerd']);
  }
  const processes = await rounds(count, contenders, ({ config }) => process(workerd, config, token));
  print('fresh workerd, first decision', 'ms', processes.wall, ['from the start of the process']);
}

async function isolate({ base, process }, name, token) {
  const cpu = processorTime(process);
  const started = performance.now();
  const { status } = await get(base, TARGET, { ...fieldsWith(token), 'bench-contender': name });
  const wall = performance.now() - started;
  if (status !== 200) throw new Error(`${name}: a fresh isolate answers ${status}`);
  return { wall, cpu: (processorTime(process) - cpu) / 1000 };
}

async function process(workerd, config, token) {
  const started = performance.now();
  // The fourth descriptor is where it says which port it listens on, which port 0 leaves to the system.
  const options = ['serve', config, '--socket-addr=http=127.0.0.1:0', '--control-fd=3'];
  const fresh = child.spawn(workerd, options, { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] });
  try {
    const { status } = await get(`http://127.0.0.1:${await listening(fresh)}`, TARGET, fieldsWith(token));
    if (status !== 200) throw new Error(`a fresh workerd with ${config} answers ${status}`);
    return { wall: performance.now() - started };
  } finally {
    fresh.kill('SIGKILL');
  }
}

function listening(fresh) {
  return new Promise((resolve, reject) => {
    fresh.once('error', reject);
    fresh.once('exit', (code) => reject(new Error(`a fresh workerd has ended with ${code}`)));
    let text = '';
    fresh.stdio[3].setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
      for (const line of text.split('\n').slice(0, -1)) {
        const event = JSON.parse(line);
        if (event.event === 'listen') resolve(event.port);
      }
    });
  });
}
