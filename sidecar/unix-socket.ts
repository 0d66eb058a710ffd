import {
  type BigIntStats,
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  unlinkSync,
} from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { reasonOf } from '../service/log.ts';
import { groupId } from './group-id.ts';

export type SocketOptions = {
  path: string;
  /** Permission bits. */
  mode: number;
  /** Name or number. */
  group?: string | undefined;
  warn: (key: string, message: string, fields?: object) => void;
};

export type ListeningSocket = {
  /** Why nobody reaches the server at the path; undefined while they do. */
  failure(): string | undefined;
  /** Removes the socket, if it is still ours. Closing the server is left to its owner. */
  close(): void;
};

/** Linux allows 107 bytes and a NUL; a longer path would be cut without a word. */
const LONGEST_PATH = 107;
/** In the folder of the socket, closed to all others: there it is made. Its name is not longer than `intake.sock`. */
const PRIVATE_FOLDER = '.h';
const LOOK_EVERY_MS = 1_000;

/**
 * Lets `server` listen on a unix socket that nobody but its owner and group could ever open. A socket that a killed
 * process left is removed; one that somebody answers on, or anything else at that path, is an error.
 *
 * From then on it looks every second whether the path still leads here. One that was removed is made again. Where another
 * process has it, or it cannot be made, `failure` and the log say so, and it is tried again.
 */
export async function listenOnSocket(server: Server, options: SocketOptions): Promise<ListeningSocket> {
  const { path, warn } = options;
  let failure: string | undefined;
  let looking = false;
  let closed = false;
  let own = await listenAt(server, options);
  const timer = setInterval(() => void look(), LOOK_EVERY_MS).unref();
  return {
    failure: () => failure,
    close() {
      closed = true;
      clearInterval(timer);
      if (identityAt(path) === own) unlinkSync(path);
    },
  };

  async function look(): Promise<void> {
    if (looking) return;
    looking = true;
    try {
      if (identityAt(path) !== own) await listenAgain();
      failure = undefined;
    } catch (error) {
      failure = reasonOf(error);
      warn('intake socket', 'nginx cannot reach the sidecar', { reason: failure });
    } finally {
      looking = false;
    }
  }

  /** Requests at hand are answered. A server takes its connections at one place at a time. */
  async function listenAgain(): Promise<void> {
    await makeRoom(path);
    if (closed) return;
    if (server.listening) server.close();
    own = await listenAt(server, options);
    warn('intake socket removed', 'the intake socket was removed, and is made again', { path });
  }
}

/**
 * Returns which socket it is. It is made elsewhere and moved to its place: at no moment has it other permissions there, and
 * Node, which removes the path of a server that it closes whoever has it then, does not know of that place.
 */
async function listenAt(server: Server, { path, mode, group }: SocketOptions): Promise<string | undefined> {
  const folder = dirname(path);
  // mkdtemp appends six characters.
  const longest = Math.max(
    Buffer.byteLength(path),
    Buffer.byteLength(join(folder, `${PRIVATE_FOLDER}XXXXXX`, 's')),
  );
  if (longest > LONGEST_PATH) {
    throw new Error(
      `intake.socket: longer than the ${LONGEST_PATH} bytes that a socket path may have (got ${path})`,
    );
  }
  mkdirSync(folder, { recursive: true });
  await makeRoom(path);
  const made = mkdtempSync(join(folder, PRIVATE_FOLDER));
  const temporary = join(made, 's');
  try {
    await listen(server, temporary);
    chmodSync(temporary, mode);
    if (group !== undefined) chownSync(temporary, process.getuid?.() ?? 0, groupId(group));
    const own = identityAt(temporary);
    renameSync(temporary, path);
    return own;
  } catch (error) {
    server.close();
    throw error;
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Removes a socket that nobody listens on. Throws where anything else is at the path. */
async function makeRoom(path: string): Promise<void> {
  const found = statAt(path);
  if (found === undefined) return;
  if (!found.isSocket()) throw new Error(`intake.socket: something else lies there (got ${path})`);
  if (await answers(path)) throw new Error(`intake.socket: another process listens on it (got ${path})`);
  unlinkSync(path);
}

/** Which file is at the path, for as long as it lives; undefined where there is none. */
function identityAt(path: string): string | undefined {
  const found = statAt(path);
  return found && `${found.dev}/${found.ino}`;
}

function statAt(path: string): BigIntStats | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false });
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
