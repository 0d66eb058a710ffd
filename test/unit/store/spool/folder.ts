import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from '@jest/globals';
import type { SpoolFault } from '../../../../store/spool/faults.ts';
import { openSpool, type Spool, type SpoolOptions } from '../../../../store/spool/spool.ts';
import { until } from '../../../parts/until.ts';

const folders: string[] = [];
const spools: Spool[] = [];

afterEach(async () => {
  await Promise.all(spools.splice(0).map((spool) => spool.close()));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** A folder that is removed after the test. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hotitem-spool-'));
  folders.push(folder);
  return folder;
}

export type Opened = Spool & { dir: string; faults: SpoolFault[] };

/** A spool for the consumer `a`, closed after the test. */
export async function open(options: Partial<SpoolOptions> = {}): Promise<Opened> {
  const { dir = tempFolder() } = options;
  const faults: SpoolFault[] = [];
  const spool = await openSpool({
    maxBytes: 64 * 1024 * 1024,
    fsync: 'never',
    cursors: ['a'],
    onFault: (fault) => faults.push(fault),
    ...options,
    dir,
  });
  spools.push(spool);
  return { ...spool, dir, faults };
}

export type Taken = { values: string[]; positions: number[]; batches: number[] };

/** What the consumer `name` is handed until it has dealt with everything, or with `batches` batches. */
export async function take(spool: Spool, name = 'a', batches = Number.POSITIVE_INFINITY): Promise<Taken> {
  const taken: Taken = { values: [], positions: [], batches: [] };
  const enough = () => taken.batches.length >= batches;
  const consumer = await spool.consume(name, async ({ values, position }, { signal }) => {
    if (enough())
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    taken.batches.push(values.length);
    [...values].forEach((value, i) => {
      taken.values.push(value.toString());
      taken.positions.push(Number(position(i)));
    });
  });
  const done = () => enough() || spool.stats().cursors[name]?.behind === 0;
  await until(done, { timeoutMs: 60_000, everyMs: 1, what: `the consumer ${name}` });
  await consumer.close(0);
  return taken;
}

/** `count` different events from `first` on. */
export function events(count: number, first = 0): string[] {
  return Array.from({ length: count }, (_, i) => `{"n":${first + i}}`);
}

export function segmentsIn(dir: string): string[] {
  return readdirSync(dir)
    .filter((name) => name.endsWith('.log'))
    .sort();
}
