import { spawnSync } from 'node:child_process';
import { constants } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../parts/guard.ts';
import { startProcess, tailOf } from '../parts/process.ts';
import { until } from '../parts/until.ts';

/** A disk of its own, of a few megabytes. */
export type SmallDisk = {
  path: string;
  /** Has somebody else fill it to the last byte. Resolves when nothing more fits. */
  fill(): Promise<void>;
  /** Takes that away again. */
  free(): Promise<void>;
  close(): Promise<void>;
};

const NAMESPACE =
  process.getuid?.() === 0 ? ['unshare', '--mount'] : ['unshare', '--mount', '--map-root-user'];
const START_MS = 60_000;
const BLOCK = Buffer.alloc(64 * 1024);

/** Whether this machine lets us have one: the mount needs root, or a user namespace. */
export function canMakeDisk(): boolean {
  const [program = '', ...args] = NAMESPACE;
  return (
    spawnSync(program, [...args, 'mount', '-t', 'tmpfs', 'hotitem', '/mnt'], { stdio: 'ignore' }).status === 0
  );
}

/**
 * A tmpfs in a mount namespace of its own, reached by way of the process that holds it: when that one ends, however it
 * does, the disk is gone, and the machine's own mounts were never touched.
 */
export async function makeDisk(megabytes: number): Promise<SmallDisk> {
  const { path: folder, remove } = temporaryFolder('disk');
  const logFile = join(folder, 'disk.log');
  const mount = `mount -t tmpfs -o size=${megabytes}m,mode=0777 hotitem /mnt && echo mounted && exec sleep infinity`;
  const holder = startProcess({ name: 'a small disk', command: [...NAMESPACE, 'sh', '-c', mount], logFile });
  await until(() => tailOf(logFile).includes('mounted'), {
    timeoutMs: START_MS,
    what: 'a small disk',
    detail: () => tailOf(logFile),
  });
  const path = `/proc/${holder.pid}/root/mnt`;
  const ballast = join(path, 'ballast');
  return {
    path,
    async fill() {
      // Others write meanwhile and may leave room again, a removed segment for one: what is asked for is a moment.
      const file = await open(ballast, constants.O_CREAT | constants.O_WRONLY | constants.O_APPEND);
      try {
        for (;;) await file.write(BLOCK);
      } catch (error) {
        if (!isFull(error)) throw error;
      } finally {
        await file.close();
      }
    },
    free: () => rm(ballast, { force: true }),
    async close() {
      await holder.kill();
      remove();
    },
  };
}

function isFull(error: unknown): boolean {
  // Not `instanceof Error`: jest's tests have an Error of their own.
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOSPC';
}
