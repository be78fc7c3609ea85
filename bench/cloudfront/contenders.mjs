// The contenders as each would be deployed: Postern unpacked from its zip, the peers bundled into one file.

import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

// What Lambda starts Node with for a viewer event's 128 MB.
const EXEC_ARGV = ['--max-old-space-size=115', '--max-semi-space-size=6'];

const here = import.meta.dirname;

/** Lays all of them out in `folder`, each with the file that its container loads. */
export function contenders(unpacked, folder, world) {
  return {
    postern: postern(unpacked, join(folder, 'postern'), world, (policy) => {
      for (const origin of Object.values(policy.origin)) {
        origin.verifies = 'token';
        delete origin.key;
      }
    }),
    'postern, assertion': postern(unpacked, join(folder, 'postern-assertion'), world),
    jose: bundle('jose', folder),
    'aws-jwt-verify': bundle('aws-jwt-verify', folder),
    'no authorisation': bundle('none', folder),
  };
}

/** The policy that was packed, with whom it asks on the loopback interface: a development build, as it says itself. */
function postern(unpacked, folder, world, change = () => {}) {
  cpSync(unpacked, folder, { recursive: true });
  const path = join(folder, 'config.json');
  const config = JSON.parse(readFileSync(path, 'utf8'));
  const policy = JSON.parse(config.policy);
  policy.development = true;
  Object.assign(policy.issuer.users, { url: world.url, jwks_url: world.jwksUrl });
  policy.cloudfront.url = world.url;
  change(policy);
  writeFileSync(path, JSON.stringify({ ...config, policy: JSON.stringify(policy) }));
  return join(folder, 'index.js');
}

function bundle(name, folder) {
  const output = join(folder, `${name}.cjs`);
  const program = resolve(here, '../../local/node_modules/.bin/esbuild');
  const options = ['--bundle', '--platform=node', '--format=cjs', '--target=node24', '--minify', '--log-level=warning'];
  execFileSync(program, [join(here, 'contenders', `${name}.mjs`), ...options, `--outfile=${output}`]);
  return output;
}

/** A process with one contender's handler in it. */
export class Container {
  static async start(file, world) {
    const env = {
      PATH: process.env.PATH,
      BENCH_ISSUER: world.url,
      BENCH_JWKS: world.jwksUrl,
      POSTERN_DEVELOPMENT: 'true',
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'not a secret',
      AWS_SESSION_TOKEN: 'a session',
    };
    const child = fork(join(here, 'container.mjs'), [file], { execArgv: EXEC_ARGV, env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const container = new Container(child);
    await container.#message();
    return container;
  }

  #child;
  #settle;

  constructor(child) {
    this.#child = child;
    child.on('message', (message) => this.#settle.resolve(message));
    child.on('exit', (code) => this.#settle?.reject(new Error(`a container ended with ${code}`)));
  }

  async ask(ask, more = {}) {
    const answer = this.#message();
    this.#child.send({ ask, ...more });
    return answer;
  }

  async end() {
    this.#settle = undefined;
    const ended = once(this.#child, 'exit');
    this.#child.disconnect();
    await ended;
  }

  #message() {
    this.#settle = Promise.withResolvers();
    return this.#settle.promise;
  }
}
