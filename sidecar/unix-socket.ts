import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, unlinkSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';
import { groupId } from './group-id.ts';

export type SocketOptions = {
  path: string;
  /** Permission bits. */
  mode: number;
  /** Name or number. */
  group?: string | undefined;
};

/** Linux allows 107 bytes and a NUL; a longer path would be cut without a word. */
const LONGEST_PATH = 107;

/**
 * Lets `server` listen on a unix socket that nobody but its owner and group could ever open. A socket that a killed
 * process left is removed; one that somebody answers on, or anything else at that path, is an error.
 */
export async function listenOnSocket(server: Server, { path, mode, group }: SocketOptions): Promise<void> {
  if (Buffer.byteLength(path) > LONGEST_PATH) {
    throw new Error(
      `intake.socket: longer than the ${LONGEST_PATH} bytes that a socket path may have (got ${path})`,
    );
  }
  mkdirSync(dirname(path), { recursive: true });
  await removeStale(path);
  const before = process.umask(0o777 & ~mode);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ path }, () => {
        server.off('error', reject);
        resolve();
      });
    });
  } finally {
    process.umask(before);
  }
  chmodSync(path, mode);
  if (group !== undefined) chownSync(path, process.getuid?.() ?? 0, groupId(group));
}

async function removeStale(path: string): Promise<void> {
  if (!existsSync(path)) return;
  if (!lstatSync(path).isSocket()) throw new Error(`intake.socket: something else lies there (got ${path})`);
  if (await answers(path)) throw new Error(`intake.socket: another process listens on it (got ${path})`);
  unlinkSync(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    // Anything else, such as a full backlog, is no proof that it is dead.
    socket.once('error', ({ code }: NodeJS.ErrnoException) =>
      resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'),
    );
  });
}
