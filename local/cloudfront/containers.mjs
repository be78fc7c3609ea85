// The function's containers: one event at a time in each, frozen as soon as it has answered and thawed for the next event,
// the one used last first; a new one starts where all are busy.

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('container.mjs', import.meta.url));
const MOST = 16;
/** Lambda's own bound on loading a function. */
const INIT_MS = 10_000;
/** What Lambda's runtime gives JavaScript of 128 MB. */
const MEMORY = ['--max-old-space-size=115', '--max-semi-space-size=6'];

/** The function threw, did not load, ended or took too long: CloudFront answers 503. */
export class ExecutionError extends Error {}

export class Containers {
  #folder;
  #environment;
  #idle = [];
  #all = new Set();
  #waiting = [];

  /** `folder` holds the unpacked package; `environment` is all that a container is told. */
  constructor({ folder, environment }) {
    this.#folder = folder;
    this.#environment = environment;
    this.started = 0;
    this.served = 0;
    this.timedOut = 0;
    this.memory = undefined;
    /** By how much the containers' clock is ahead. */
    this.clockOffsetMs = 0;
  }

  /** What the function answers to one event, parsed. */
  async invoke(event, requestId, timeoutMs) {
    const container = await this.#take();
    let keep = false;
    try {
      const answer = await container.ask({ event, requestId, timeoutMs, clockOffsetMs: this.clockOffsetMs }, timeoutMs);
      keep = true;
      this.served += 1;
      this.memory = answer.memory;
      if (answer.failed) throw new ExecutionError(answer.failed);
      return JSON.parse(answer.result);
    } catch (error) {
      if (error.timedOut) this.timedOut += 1;
      throw error;
    } finally {
      this.#give(container, keep);
    }
  }

  /** Ends every container: whatever comes next is served by one that has seen nothing. */
  async endAll() {
    const all = [...this.#all];
    for (const container of all) container.retired = true;
    const idle = this.#idle.splice(0);
    for (const container of idle) container.kill();
    await Promise.all(idle.map((container) => container.ended));
  }

  describe() {
    return {
      containers: this.#all.size,
      idle: this.#idle.length,
      started: this.started,
      served: this.served,
      timedOut: this.timedOut,
      pids: [...this.#all].map(({ pid }) => pid),
      memory: this.memory,
    };
  }

  killNow() {
    for (const container of this.#all) container.kill();
  }

  async #take() {
    for (;;) {
      const idle = this.#idle.pop();
      if (idle) {
        idle.thaw();
        return idle;
      }
      if (this.#all.size < MOST) return this.#start();
      await new Promise((resolve) => this.#waiting.push(resolve));
    }
  }

  async #start() {
    const container = new Container(this.#folder, this.#environment);
    this.#all.add(container);
    this.started += 1;
    container.ended.then(() => {
      this.#all.delete(container);
      this.#idle = this.#idle.filter((other) => other !== container);
      this.#waiting.shift()?.();
    });
    try {
      await container.ready;
    } catch (error) {
      container.kill();
      throw error;
    }
    return container;
  }

  #give(container, keep) {
    if (!keep || container.retired) {
      container.kill();
      return;
    }
    container.freeze();
    this.#idle.push(container);
    this.#waiting.shift()?.();
  }
}

class Container {
  #child;
  #answered;

  constructor(folder, environment) {
    this.retired = false;
    this.#child = fork(PROGRAM, [folder], {
      env: environment,
      execArgv: MEMORY,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) byLine(stream, (line) => console.log(line));
    this.pid = this.#child.pid;
    this.ended = new Promise((resolve) => {
      this.#child.once('exit', resolve);
      this.#child.once('error', resolve);
    });
    this.ended.then(() => this.#answered?.({ ended: true }));
    this.#child.on('message', (message) => this.#answered?.(message));
    this.ready = this.#next(INIT_MS).then((message) => {
      if (!message.ready) throw new ExecutionError(message.failed ?? 'the container ended while it started');
    });
  }

  async ask(message, timeoutMs) {
    const answer = this.#next(timeoutMs);
    this.#child.send(message, (error) => error && this.#answered?.({ ended: true }));
    const received = await answer;
    if (received.ended) throw new ExecutionError('the container ended');
    return received;
  }

  freeze() {
    this.#child.kill('SIGSTOP');
  }

  thaw() {
    this.#child.kill('SIGCONT');
  }

  /** Also ends one that is frozen. */
  kill() {
    this.#child.kill('SIGKILL');
  }

  #next(timeoutMs) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#answered = undefined;
        reject(Object.assign(new ExecutionError(`no answer within ${timeoutMs} ms`), { timedOut: true }));
      }, timeoutMs);
      this.#answered = (message) => {
        clearTimeout(timer);
        this.#answered = undefined;
        resolve(message);
      };
    });
  }
}

function byLine(stream, show) {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    lines.forEach(show);
  });
  stream.on('end', () => rest && show(rest));
}
