import { readFileSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';

const IN_MEMORY = '/dev/shm';
const GIB = 1024 ** 3;
/** A run has some hundred megabytes of files at a time; its processes need several gigabytes. */
const LEAST_FREE = 4 * GIB;
const LEAST_MEMORY = 10 * GIB;

/**
 * Where a run keeps its files: in memory if there is plenty, because creating, syncing and deleting them on a disk takes a tenth of the CPU
 * time, and a fifth in tests of the spool. Otherwise, or if TMPDIR is set, in the temporary folder of the system.
 */
export function parentOfRun(): string {
  return process.env.TMPDIR === undefined && hasMemory() ? IN_MEMORY : tmpdir();
}

function hasMemory(): boolean {
  try {
    if (!runsPrograms() || available() < LEAST_MEMORY) return false;
    const { bavail, bsize } = statfsSync(IN_MEMORY);
    return bavail * bsize >= LEAST_FREE;
  } catch {
    return false;
  }
}

function runsPrograms(): boolean {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  const [, , type, options = ''] =
    mounts.map((line) => line.split(' ')).findLast(([, at]) => at === IN_MEMORY) ?? [];
  return type === 'tmpfs' && !options.split(',').includes('noexec');
}

/** In bytes. */
function available(): number {
  const [, kibibytes = 0] = /^MemAvailable: +(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8')) ?? [];
  return Number(kibibytes) * 1024;
}
