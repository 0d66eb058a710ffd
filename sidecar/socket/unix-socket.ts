import {
  type BigIntStats,
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  lchownSync,
  lstatSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs';
import type { Server } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { reasonOf } from '../../service/log.ts';
import { makeFolder } from '../../service/make-folder.ts';
import { socketAnswers } from '../../service/socket-answers.ts';
import { explainGroup, groupId } from './group-id.ts';

export type SocketOptions = {
  /** The setting that names the path. */
  setting: 'intake.socket' | 'control.socket';
  path: string;
  /** Permission bits. */
  mode: number;
  /** Name or number. */
  group?: string | undefined;
  warn: (key: string, message: string, fields?: object) => void;
};

export type ListeningSocket = {
  /** Why the server is unreachable at the path; undefined while it is reachable. */
  failure(): string | undefined;
  /** Removes the socket, if it is still ours. Closing the server is left to its owner. */
  close(): void;
};

/** Linux allows 107 bytes and a NUL; a longer path would be cut without a word. */
const LONGEST_PATH = 107;
/** In the folder of the socket, closed to all others: there it is made. */
const PRIVATE_FOLDER = '.h';
/** Of the folder of the socket where we make it: the workers pass through it. */
const FOLDER_MODE = 0o755;
const A_FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const OF_OTHERS = 0o077;
const LOOK_EVERY_MS = 1_000;

/**
 * Lets `server` listen on a unix socket that only its owner and group can ever open. A socket that a killed
 * process left is removed; one that a process answers on, or anything else at that path, is an error.
 *
 * From then on it checks every second whether the path still leads here. A removed socket is created again. Where another
 * process has it, or it cannot be created, `failure` and the log report it, and it is retried.
 */
export async function listenOnSocket(server: Server, options: SocketOptions): Promise<ListeningSocket> {
  const { setting, path, warn } = options;
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
      warn(setting, `the sidecar is unreachable on ${setting}`, { reason: failure });
    } finally {
      looking = false;
    }
  }

  /** Requests at hand are answered. A server takes its connections at one place at a time. */
  async function listenAgain(): Promise<void> {
    await makeRoom(options);
    if (closed) return;
    if (server.listening) server.close();
    own = await listenAt(server, options);
    warn(`${setting} removed`, 'the socket was removed, creating it again', { path });
  }
}

/**
 * Returns which socket it is. It is made in a folder of its own and moved to its place: at no moment has it other permissions
 * there, and Node, which removes the path of a server that it closes whoever has it then, does not know of that place.
 *
 * Who may write to the folder of the socket could put a link in the place of anything in it. So the own folder is reached by its
 * descriptor: nobody else can put anything there.
 */
async function listenAt(server: Server, options: SocketOptions): Promise<string | undefined> {
  const { setting, path, mode, group } = options;
  if (Buffer.byteLength(path) > LONGEST_PATH) {
    throw new Error(
      `${setting}: must not be longer than ${LONGEST_PATH} bytes, the limit for a socket path (got ${path})`,
    );
  }
  makeFolder(dirname(path), FOLDER_MODE);
  await makeRoom(options);
  const made = mkdtempSync(join(dirname(path), PRIVATE_FOLDER));
  const folder = openOwn(made);
  // A unique name: Node removes it from whatever this descriptor is when the server is closed.
  const temporary = join('/proc/self/fd', String(folder), basename(made));
  try {
    await listen(server, temporary);
    chmodSync(temporary, mode);
    if (group !== undefined) giveToGroup(temporary, group);
    const own = identityAt(temporary);
    renameSync(temporary, path);
    return own;
  } catch (error) {
    // Removes the socket as well.
    server.close();
    throw error;
  } finally {
    closeSync(folder);
    removeFolder(made);
  }
}

function giveToGroup(path: string, group: string): void {
  try {
    lchownSync(path, process.geteuid?.() ?? 0, groupId(group));
  } catch (error) {
    throw explainGroup(error, group);
  }
}

/** The descriptor of a folder that is ours alone. */
function openOwn(path: string): number {
  const folder = openSync(path, A_FOLDER);
  const { uid, mode } = fstatSync(folder);
  if (uid === process.geteuid?.() && (mode & OF_OTHERS) === 0) return folder;
  closeSync(folder);
  throw new Error(`somebody replaced a folder that was just created (got ${path})`);
}

/** Not something that replaced it. */
function removeFolder(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // At worst, an empty folder is left where others can write.
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

/** Removes a socket without a listener. Throws if anything else is at the path. */
async function makeRoom({ setting, path }: Pick<SocketOptions, 'setting' | 'path'>): Promise<void> {
  const found = statAt(path);
  if (found === undefined) return;
  if (!found.isSocket()) throw new Error(`${setting}: something else exists there (got ${path})`);
  if (await socketAnswers(path)) throw new Error(`${setting}: another process listens on it (got ${path})`);
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
