// Start-up: a fresh workerd with one Worker, from the start of the process to its first answer, the fetch of the
// issuer's keys included.

import * as child from 'node:child_process';

import { TARGET } from '../lib/names.mjs';
import { print, rounds } from '../lib/rounds.mjs';
import { get } from './check.mjs';
import { fieldsWith } from './load.mjs';

/** Prints the rows of start-up. */
export async function startUp({ workerd, contenders }, issuer, count) {
  const token = issuer.token(0);
  const figures = await rounds(count, contenders, async (contender) => fresh(workerd, contender.config, token));
  print('start-up, from the process to the first answer', 'ms', figures.whole, ['a fresh workerd each time']);
  print('start-up, the first request', 'ms', figures.first, ['from when a fresh workerd listens']);
}

async function fresh(workerd, config, token) {
  const started = performance.now();
  // The fourth descriptor is where it says which port it listens on; `=` leaves the choice to the system.
  const options = ['serve', config, '--socket-addr=http=127.0.0.1:0', '--control-fd=3'];
  const process = child.spawn(workerd, options, { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] });
  try {
    const port = await listening(process);
    const listened = performance.now();
    const { status } = await get(`http://127.0.0.1:${port}`, TARGET, fieldsWith(token));
    const answered = performance.now();
    if (status !== 200) throw new Error(`a fresh workerd with ${config} answers ${status}`);
    return { whole: answered - started, first: answered - listened };
  } finally {
    process.kill('SIGKILL');
  }
}

function listening(process) {
  return new Promise((resolve, reject) => {
    process.once('error', reject);
    process.once('exit', (code) => reject(new Error(`a fresh workerd has ended with ${code}`)));
    let text = '';
    process.stdio[3].setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
      for (const line of text.split('\n').slice(0, -1)) {
        const event = JSON.parse(line);
        if (event.event === 'listen') resolve(event.port);
      }
    });
  });
}
