import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const README = join(import.meta.dirname, '../../README.md');

/** The most memory that a process has held so far, in MB: its peak resident set. */
export function peakMemory(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kibibytes === undefined) throw new Error(`process ${pid} does not say what memory it holds`);
  return (Number(kibibytes) * 1024) / 1e6;
}

/** What README.md promises of a sink, in MB. */
export function promisedOfSink(): number {
  const promise = /A sink takes up to (\d+) MB/.exec(readFileSync(README, 'utf8'))?.[1];
  if (promise === undefined) throw new Error('README.md does not say what memory a sink takes');
  return Number(promise);
}
