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
  /** Removes the socket, if it is still ours. Its owner closes the server. */
  close(): void;
};

/** Linux allows 107 bytes and a NUL; a longer path would be truncated silently. */
const LONGEST_PATH = 107;
/** A private folder within that of the socket, in which the socket is created. */
const PRIVATE_FOLDER = '.h';
/** Of the folder of the socket, if it is created here: the workers traverse it. */
const FOLDER_MODE = 0o755;
const A_FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const OF_OTHERS = 0o077;
const LOOK_EVERY_MS = 1_000;

/**
 * Makes `server` listen on a unix socket that only its owner and group can open, at any moment. A socket left by a killed process is
 * removed. A socket with a listener, or anything else at that path, is an error.
 *
 * From then on it checks every second whether the path still leads here. A removed socket is created again. If another process has taken
 * the path, or the socket cannot be created, `failure` and the log report it, and it retries.
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

  /** Requests in flight are answered. A server accepts connections from one address at a time. */
  async function listenAgain(): Promise<void> {
    await makeRoom(options);
    if (closed) return;
    if (server.listening) server.close();
    own = await listenAt(server, options);
    warn(`${setting} removed`, 'the socket was removed, creating it again', { path });
  }
}

/**
 * Returns the identity of the socket. It is created in a private folder and then renamed, so at no moment has it other permissions at its
 * path. Node removes the path of a server when it closes, no matter who owns it by then; it does not know the renamed path.
 *
 * Users who can write to the folder of the socket could replace anything in it by a link. So the private folder is accessed by its
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
  // A unique name: when the server closes, Node removes that name from whatever this descriptor is by then.
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

/** The descriptor of a private folder of ours. */
function openOwn(path: string): number {
  const folder = openSync(path, A_FOLDER);
  const { uid, mode } = fstatSync(folder);
  if (uid === process.geteuid?.() && (mode & OF_OTHERS) === 0) return folder;
  closeSync(folder);
  throw new Error(`somebody replaced a folder that was just created (got ${path})`);
}

/** Verify that it was not replaced. */
function removeFolder(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // At worst, an empty folder remains.
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

/** The identity of the file at the path; undefined if there is none. */
function identityAt(path: string): string | undefined {
  const found = statAt(path);
  return found && `${found.dev}/${found.ino}`;
}

function statAt(path: string): BigIntStats | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false });
}
