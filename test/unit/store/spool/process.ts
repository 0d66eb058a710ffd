import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterEach } from '@jest/globals';
import { bundleScript } from '../../../parts/bundle-script.ts';
import { until } from '../../../parts/until.ts';

export type SpoolProcess = {
  pid: number;
  /** What it has written, line by line. */
  lines: string[];
  /** Resolves with the first line that matches. */
  says(line: RegExp): Promise<string>;
  /** kill -9; resolves when it has ended and all that it wrote is in `lines`. */
  kill(): Promise<void>;
};

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** Starts `child.ts`, see there; `limitBlocks` is what it may write into one file, in units of 1 KiB. */
export function startSpoolProcess(
  task: 'append' | 'hold',
  { dir, first = 0, limitBlocks }: { dir: string; first?: number; limitBlocks?: number },
): SpoolProcess {
  const script = bundleScript(join(import.meta.dirname, 'child.ts'));
  const command = [process.execPath, script, task, dir, String(first)];
  // With SIGXFSZ ignored a write beyond the limit fails with EFBIG, as it fails with ENOSPC on a full disk.
  const limited = ['bash', '-c', `trap '' XFSZ; ulimit -S -f ${limitBlocks}; exec "$@"`, 'bash', ...command];
  const [program = '', ...args] = limitBlocks === undefined ? command : limited;
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const lines: string[] = [];
  let rest = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
  });
  return {
    pid: child.pid ?? 0,
    lines,
    says: (line) =>
      until(() => lines.find((text) => line.test(text)), { timeoutMs: 60_000, everyMs: 2, what: `${line}` }),
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
