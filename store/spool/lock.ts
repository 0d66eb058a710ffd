import { randomBytes } from 'node:crypto';
import { type FileHandle, open, readdir, unlink } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { socketAnswers } from '../../service/socket-answers.ts';
import { SpoolError } from './error.ts';

export type Lock = { release(): Promise<void> };

const NAME = /^lock\.(\d+)\.[\da-f]{8}$/;

/**
 * Ensures that only one process uses `dir`, or throws a SPOOL_LOCKED.
 *
 * Each process listens on its own unix socket in the folder, and only then connects to those of others. If two start at once, at least one
 * of them sees the other and gives up. A socket that refuses connections was left by a killed process, and is removed. So the kernel knows
 * which process is alive. A pid in a file would not work after a reboot (pids are reused) or with containers that share the folder (each
 * has its own pids), and an abstract socket is limited to a network namespace. Node has no flock.
 */
export async function lockFolder(dir: string): Promise<Lock> {
  const folder = await open(dir, 'r');
  // A socket path is limited to 107 bytes: this shorter one leads through the open folder.
  const short = process.platform === 'linux' ? `/proc/self/fd/${folder.fd}` : dir;
  const own = `lock.${process.pid}.${randomBytes(4).toString('hex')}`;
  const server = createServer((socket) => socket.destroy()).unref();
  try {
    await listen(server, `${short}/${own}`);
    const names = (await readdir(dir)).filter((name) => NAME.test(name));
    const others = names.filter((name) => name !== own);
    const alive = await Promise.all(others.map((name) => socketAnswers(`${short}/${name}`)));
    await Promise.all(
      others.filter((_, i) => !alive[i]).map((name) => unlink(`${dir}/${name}`).catch(() => {})),
    );
    const holder = others.find((_, i) => alive[i]);
    if (holder !== undefined) {
      throw new SpoolError('SPOOL_LOCKED', `process ${NAME.exec(holder)?.[1]} uses the spool ${dir}`);
    }
    // A process that started at the same time took our socket for a dead one, before we listened on it.
    if (!names.includes(own))
      throw new SpoolError('SPOOL_LOCKED', `another process just opened the spool ${dir}`);
  } catch (error) {
    await release(server, folder);
    throw error;
  }
  return { release: () => release(server, folder) };
}

/** Closing the server removes its socket; the folder must stay open until then. */
async function release(server: Server, folder: FileHandle): Promise<void> {
  if (server.listening) await new Promise((resolve) => server.close(resolve));
  await folder.close();
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path }, () => resolve());
  });
}
