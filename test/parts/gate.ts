import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { freePort } from './ports.ts';

/** A proxy in front of a shared part that can be closed without stopping the part. */
export type Gate = {
  /** `http://127.0.0.1:…` */
  address: string;
  /** Closes connections and refuses new ones, as if the part were stopped. */
  shut(): Promise<void>;
  open(): Promise<void>;
  /** Lets nothing pass any more where that was asked for last, such as `GET /stream`, and closes nothing: as after a change of network. */
  freeze(request: string): void;
};

/** Opens a gate in front of `target`, an HTTP address. */
export async function openGate(target: string): Promise<Gate> {
  const { hostname, port: targetPort } = new URL(target);
  const port = await freePort();
  const sockets = new Set<Socket>();
  /** The other end of each connection, and what was asked for last. */
  const pairs = new Map<Socket, { beyond: Socket; asked: string }>();
  const server = createServer((socket) => {
    const beyond = connect(Number(targetPort), hostname);
    const pair = { beyond, asked: '' };
    pairs.set(socket, pair);
    socket.once('close', () => pairs.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      pair.asked = chunk.toString('latin1', 0, 100);
    });
    for (const [one, other] of [
      [socket, beyond],
      [beyond, socket],
    ] as const) {
      sockets.add(one);
      one.once('close', () => sockets.delete(one));
      one.once('error', () => other.destroy());
      one.pipe(other);
    }
  });
  await open();
  return { address: `http://127.0.0.1:${port}`, open, shut, freeze };

  async function open(): Promise<void> {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  }

  function freeze(request: string): void {
    for (const [socket, { beyond, asked }] of pairs) {
      if (!asked.startsWith(request)) continue;
      socket.unpipe().pause();
      beyond.unpipe().pause();
    }
  }

  async function shut(): Promise<void> {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  }
}
