import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from './guard.ts';
import { startProcess, tailOf } from './process.ts';
import { until } from './until.ts';

/** A folder on a file system with inode numbers above 2^63. */
export type Overlay = { path: string; close(): Promise<void> };

const START_MS = 5_000;
/** The lower and the upper layer are on different file systems: the kernel marks their inodes in the highest bits. */
const MOUNT = `
mount -t tmpfs -o inode32 hotitem /mnt && mkdir /mnt/above /mnt/below /mnt/merged &&
mount -t tmpfs -o inode32 hotitem /mnt/above && mkdir /mnt/above/upper /mnt/above/work &&
mount -t tmpfs -o inode32 hotitem /mnt/below && cp -r "$1" /mnt/below/files &&
mount -t overlay -o lowerdir=/mnt/below,upperdir=/mnt/above/upper,workdir=/mnt/above/work,xino=on hotitem /mnt/merged`;

/** Whether this host allows it: the mounts need root. */
export function canMakeOverlay(): boolean {
  if (process.getuid?.() !== 0) return false;
  return (
    spawnSync('unshare', ['--mount', 'sh', '-c', MOUNT, 'sh', '/dev/null'], { stdio: 'ignore' }).status === 0
  );
}

/** Creates one with these files, by name, in the lower layer. In its own mount namespace, see `makeDisk`. */
export async function makeOverlay(files: Record<string, string>): Promise<Overlay> {
  const { path: folder, remove } = temporaryFolder('overlay');
  const logFile = join(folder, 'overlay.log');
  const below = join(folder, 'below');
  mkdirSync(below);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(below, name), text);
  const script = `${MOUNT} && echo mounted && exec sleep infinity`;
  const holder = startProcess({
    name: 'an overlay',
    command: ['unshare', '--mount', 'sh', '-c', script, 'sh', below],
    logFile,
  });
  await until(() => tailOf(logFile).includes('mounted'), {
    timeoutMs: START_MS,
    what: 'an overlay',
    detail: () => tailOf(logFile),
  });
  return {
    path: `/proc/${holder.pid}/root/mnt/merged/files`,
    async close() {
      await holder.kill();
      remove();
    },
  };
}
