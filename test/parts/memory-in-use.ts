import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { until } from './until.ts';

const PATIENCE_MS = 60_000;

/** The environment of a process whose memory is to be measured. */
export function measured(file: string): Record<string, string> {
  const program = pathToFileURL(join(import.meta.dirname, 'collect-garbage.mjs'));
  return { NODE_OPTIONS: `--import=${program}`, MEMORY_FILE: file };
}

/** What is in use, in bytes, once its garbage is collected: garbage that waits for that is not memory that anybody holds. */
export async function memoryInUse(pid: number, file: string): Promise<{ rss: number; held: number }> {
  rmSync(file, { force: true });
  process.kill(pid, 'SIGUSR2');
  await until(() => existsSync(file), { timeoutMs: PATIENCE_MS, what: 'garbage to be collected' });
  const { rss, heapUsed, external } = JSON.parse(readFileSync(file, 'utf8')) as NodeJS.MemoryUsage;
  return { rss, held: heapUsed + external };
}
