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
  /** Lets nothing pass on the connections that are open, and closes none: as after a change of network. */
  freeze(): void;
};

/** Opens a gate in front of `target`, an HTTP address. */
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
  return { address: `http://127.0.0.1:${port}`, open, shut, freeze };

  async function open(): Promise<void> {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  }

  function freeze(): void {
    for (const socket of sockets) socket.unpipe().pause();
  }

  async function shut(): Promise<void> {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  }
}
