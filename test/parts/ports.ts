import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

// Below the ephemeral ports: a port must still be free when its part is started again.
const FIRST = 16_000;
const BLOCKS = 16;
const BLOCK = 1_000;

/** Never handed out twice: nothing may listen on a port yet, or just now. */
const handedOut = new Set<number>();

/** That many TCP ports of 127.0.0.1 on which nothing listens, and which no other suite of this run is given meanwhile. */
export async function freePorts(count: number): Promise<number[]> {
  const first = FIRST + BLOCK * blockOf();
  const ports: number[] = [];
  while (ports.length < count) {
    const port = randomInt(first, first + BLOCK);
    if (handedOut.has(port)) continue;
    if (handedOut.size === BLOCK - 1) handedOut.clear();
    handedOut.add(port);
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

/** One such port. */
export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

/** Each worker of a run has its own block; those of another run begin elsewhere. */
function blockOf(): number {
  const worker = Number(process.env.JEST_WORKER_ID ?? 0);
  return (process.ppid + worker) % BLOCKS;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1' }, () => server.close(() => resolve(true)));
  });
}
