import { createServer } from 'node:net';
import { splitAddress } from '../service/listen-address.ts';
import { Trouble } from '../service/trouble.ts';

/** Throws a `Trouble` with every address that cannot be listened on, and the flag that changes it. */
export async function requireFree(wanted: { address: string; flag: string }[]): Promise<void> {
  const problems = await Promise.all(
    wanted.map(async ({ address, flag }) => {
      const problem = await listenProblem(address);
      return problem === undefined ? [] : [{ address, flag, problem }];
    }),
  );
  const taken = problems.flat();
  if (taken.length === 0) return;
  const lines = taken.map(({ address, problem }) => `${address} ${problem}`);
  const flags = taken.map(({ address, flag }) => `${flag} ${another(address)}`);
  throw new Trouble(lines.join('\n'), `Free it, or choose another: npm start -- ${flags.join(' ')}`);
}

function listenProblem(address: string): Promise<string | undefined> {
  const { host, port } = splitAddress(address);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return Promise.resolve('is not HOST:PORT');
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(meaning(error)));
    server.listen({ host, port }, () => server.close(() => resolve(undefined)));
  });
}

function meaning({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'EADDRINUSE') return 'is used by another process';
  if (code === 'EACCES') return 'needs permissions that this user does not have';
  return `cannot be listened on: ${message}`;
}

function another(address: string): string {
  const colon = address.lastIndexOf(':');
  const port = Number(address.slice(colon + 1));
  return `${address.slice(0, colon)}:${port < 65_000 ? port + 100 : port - 100}`;
}
