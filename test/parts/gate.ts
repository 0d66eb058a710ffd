import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { freePort } from './ports.ts';

/** A way to a part that can be closed, for a part that others use as well: behind it everything goes on. */
export type Gate = {
  /** `http://127.0.0.1:…` */
  address: string;
  /** Connections end, and new ones are refused, as when the part is stopped. */
  shut(): Promise<void>;
  open(): Promise<void>;
};

/** Opens a gate before `target`, an address over HTTP. */
export async function openGate(target: string): Promise<Gate> {
  const { hostname, port: targetPort } = new URL(target);
  const port = await freePort();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const beyond = connect(Number(targetPort), hostname);
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
  return { address: `http://127.0.0.1:${port}`, open, shut };

  async function open(): Promise<void> {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  }

  async function shut(): Promise<void> {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  }
}
