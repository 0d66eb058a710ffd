import { createServer } from 'node:net';
import { isAddress } from '../service/config/setting-types.ts';
import { splitAddress } from '../service/listen-address.ts';
import { Trouble } from '../service/trouble.ts';

/** Any user may listen on these ports. */
const UNPRIVILEGED = 1_024;
const TAKEN = 'is used by another process';

/** Throws a `Trouble` with every address that cannot be listened on, and the flag that changes it. */
export async function requireFree(wanted: { address: string; flag: string }[]): Promise<void> {
  const problems = await Promise.all(
    wanted.map(async ({ address, flag }) => {
      const problem = await listenProblem(address);
      return problem === undefined ? [] : [{ address, flag, problem }];
    }),
  );
  const unusable = problems.flat();
  if (unusable.length === 0) return;
  const lines = unusable.map(({ address, problem }) => `${address} ${problem}`);
  const flags = unusable.map((one) => `${one.flag} ${another(one)}`);
  const isTaken = unusable.every(({ problem }) => problem === TAKEN);
  throw new Trouble(
    lines.join('\n'),
    `${isTaken ? 'Free it, or choose another' : 'Choose another'}: npm start -- ${flags.join(' ')}`,
  );
}

function listenProblem(address: string): Promise<string | undefined> {
  const { host, port } = splitAddress(address);
  if (!isAddress(address, 1)) return Promise.resolve('is not HOST:PORT');
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(meaning(error)));
    server.listen({ host, port }, () => server.close(() => resolve(undefined)));
  });
}

function meaning({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'EADDRINUSE') return TAKEN;
  if (code === 'EADDRNOTAVAIL') return 'is no address of this host';
  if (code === 'EACCES') return 'needs permissions that this user does not have';
  return `cannot be listened on: ${message}`;
}

/** An address that may be free. */
function another({ address, problem }: { address: string; problem: string }): string {
  const { port } = splitAddress(address);
  if (problem === TAKEN)
    return `${address.slice(0, address.lastIndexOf(':'))}:${port < 65_000 ? port + 100 : port - 100}`;
  return `127.0.0.1:${isAddress(address, 1) && port >= UNPRIVILEGED ? port : 8180}`;
}
