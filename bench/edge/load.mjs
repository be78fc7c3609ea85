// The load: autocannon in this process, a fixed number of requests over a fixed number of connections, each answered
// before the next is sent. Whatever is not answered with 200 ends the measurement: a fast refusal is no figure.

import autocannon from 'autocannon';

import { processorTime } from './processor.mjs';

export const CONNECTIONS = 16;

// What a browser's script sends.
const FIELDS = {
  accept: 'application/json, text/plain, */*',
  'accept-encoding': 'gzip, deflate, br, zstd',
  'accept-language': 'en-GB,en;q=0.9',
  origin: 'https://app.bench.example',
  referer: 'https://app.bench.example/',
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36',
};

export const fieldsWith = (token) => ({ ...FIELDS, authorization: `Bearer ${token}` });

/**
 * Sends `amount` requests to `url` with these tokens in turn; each connection has a share of them to itself, or the
 * connections, being about as fast, would all send the same one at the same time.
 *
 * Gives the processor time per request of `process`, in microseconds, if the system tells it, and requests per second.
 */
export function load(url, process, tokens, amount) {
  return new Promise((resolve, reject) => {
    let connection = 0;
    let running = CONNECTIONS;
    let [started, ended] = [];
    const setupClient = (client) => {
      const share = tokens.length === 1 ? tokens : tokens.filter((_, n) => n % CONNECTIONS === connection);
      connection += 1;
      client.setRequests(share.map((token) => ({ method: 'GET', headers: fieldsWith(token) })));
      client.on('done', () => {
        running -= 1;
        if (running === 0) ended = state(process);
      });
    };
    const run = autocannon({ url, connections: CONNECTIONS, amount, sampleInt: 50, setupClient }, (error, result) => {
      if (error) return reject(error);
      const refused = result.non2xx + result.errors + result.timeouts;
      if (refused > 0 || result['2xx'] !== amount || ended === undefined) {
        return reject(new Error(`${url} answered ${result['2xx']} of ${amount} requests with 200`));
      }
      const cpu = ended.cpu === undefined ? undefined : (ended.cpu - started.cpu) / amount;
      return resolve({ cpu, rate: (amount * 1000) / (ended.at - started.at) });
    });
    run.on('start', () => {
      started = state(process);
    });
  });
}

const state = (process) => ({ at: performance.now(), cpu: processorTime(process) });
