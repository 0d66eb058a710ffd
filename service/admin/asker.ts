import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { isLoopbackAddress } from '../listen-address.ts';

export type Asker = {
  /** The address of the client. A proxy on this host says whose request it passes on; another program here could only pretend to be several. */
  from: string;
  /** The address of the connection: of the proxy, if there is one. */
  peer: string;
};

export function askerOf({ socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>): Asker {
  const peer = socket.remoteAddress ?? 'unknown';
  const real = headers['x-real-ip'];
  const isSaid = typeof real === 'string' && isIP(real) !== 0 && isLoopbackAddress(peer);
  return { from: isSaid ? real : peer, peer };
}
