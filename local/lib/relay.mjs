// A TCP relay that stands between two parts of the local stack, so that a test can cut the line, slow it or let it hang
// without stopping the part behind it.

import * as net from 'node:net';

import { listen } from './listen.mjs';

const MODES = ['open', 'cut', 'hang', 'slow'];

export class Relay {
  #port;
  #target;
  #server;
  #sockets = new Set();
  #mode = 'open';
  #delayMs = 0;

  constructor(port, target) {
    this.#port = port;
    this.#target = target;
    this.connections = 0;
  }

  async start() {
    if (this.#server) return;
    this.#server = net.createServer((socket) => this.#accept(socket));
    await listen(this.#server, this.#port);
  }

  /** `open`, `cut` (refused, live connections dropped), `hang` (never answered) or `slow` (each chunk held `delayMs`). */
  async set({ mode, delayMs = 1000 }) {
    if (!MODES.includes(mode)) throw new RangeError(`\`mode\` must be one of ${MODES.join(', ')}`);
    if (mode !== this.#mode) this.#drop();
    this.#mode = mode;
    this.#delayMs = mode === 'slow' ? delayMs : 0;
    if (mode === 'cut') await this.stop();
    else await this.start();
  }

  async stop() {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    const closed = new Promise((resolve) => server.close(resolve));
    this.#drop();
    await closed;
  }

  describe() {
    return { mode: this.#mode, connections: this.connections };
  }

  #drop() {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  #accept(caller) {
    this.connections += 1;
    this.#keep(caller);
    if (this.#mode === 'hang') {
      caller.resume();
      return;
    }
    const target = net.connect(this.#target, '127.0.0.1');
    this.#keep(target);
    const delayMs = this.#delayMs;
    if (delayMs === 0) {
      caller.pipe(target);
    } else {
      caller.on('data', (chunk) => setTimeout(() => target.writable && target.write(chunk), delayMs));
      caller.on('end', () => setTimeout(() => target.end(), delayMs));
    }
    target.pipe(caller);
    // Either end's death is the other's: a caller must see the refusal of the part behind the relay.
    caller.on('close', () => target.destroy());
    target.on('close', () => caller.destroy());
  }

  #keep(socket) {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
  }
}
