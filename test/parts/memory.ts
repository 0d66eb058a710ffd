import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const OPERATIONS = join(import.meta.dirname, '../../docs/operations.md');

/** The most memory that a process has held so far, in MB: its peak resident set. */
export function peakMemory(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kibibytes === undefined) throw new Error(`process ${pid} does not say what memory it holds`);
  return (Number(kibibytes) * 1024) / 1e6;
}

/** The memory limit of a sink in docs/operations.md, in MB; with the embedded index without `duckdb.memory_mb`. */
export function promisedOfSink(index: 'elasticsearch' | 'embedded' = 'elasticsearch'): number {
  const promise = /A sink takes up to (\d+) MB[^.]+; with the embedded index up to (\d+) MB/.exec(
    readFileSync(OPERATIONS, 'utf8'),
  );
  if (promise === null) throw new Error('docs/operations.md has no memory limit of a sink');
  return Number(promise[index === 'embedded' ? 2 : 1]);
}
