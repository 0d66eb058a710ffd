import { appendFileSync, mkdirSync, mkdtempSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from '@jest/globals';
import { Registry } from 'prom-client';
import { createMetrics } from '../../../../service/metrics.ts';
import { SIDECAR_METRICS } from '../../../../sidecar/metrics.ts';
import type { Oddity } from '../../../../sidecar/tail/folder.ts';
import { createSpillLimit } from '../../../../sidecar/tail/spill-limit.ts';
import { startTail } from '../../../../sidecar/tail/tail.ts';
import { until } from '../../../parts/until.ts';

export type Tailed = {
  /** What `startTailed` was given, for another. */
  folder: string;
  /** Where nginx would write. */
  dir: string;
  offsetsPath: string;
  /** What the tail took in, in order. */
  taken: string[];
  /** From which source each came. */
  sources: Set<string>;
  /** The highest `spill_waiting_bytes` when lines were taken in. */
  mostWaiting: number;
  warnings: Set<string>;
  /** While true, nothing can be kept. `refusals` counts the attempts. */
  refuse: boolean;
  refusals: number;
  /** How often it has looked into the folder. */
  looks: number;
  write(name: string, text: string): string;
  gauge(name: 'spill_files' | 'spill_waiting_bytes' | 'spill_full'): number;
  /** How many things are passed over for that reason. */
  odd(reason: Oddity): number;
  failure(): string | undefined;
  close(): Promise<void>;
};

/** On a machine that others use, one look of the tail may take seconds. */
export const PATIENCE_MS = 60_000;

const started: Tailed[] = [];
const folders: string[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((tailed) => tailed.close()));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** A folder for `startTailed`, removed after the test. */
export function tailFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hotitem-tail-'));
  folders.push(folder);
  mkdirSync(join(folder, 'spill'));
  return folder;
}

type StartOptions = { maxBytes?: number; dir?: string; tornAfterMs?: number };

/** A tail of a folder, stopped after the test. */
export async function startTailed(
  folder: string = tailFolder(),
  { maxBytes = 1e9, dir = join(folder, 'spill'), tornAfterMs }: StartOptions = {},
): Promise<Tailed> {
  const offsetsPath = join(folder, 'offsets.json');
  const metrics = createMetrics(new Registry(), SIDECAR_METRICS);
  const tailed: Tailed = {
    folder,
    dir,
    looks: 0,
    offsetsPath,
    taken: [],
    sources: new Set(),
    mostWaiting: 0,
    warnings: new Set(),
    refuse: false,
    refusals: 0,
    write(name, text) {
      appendFileSync(join(dir, name), text);
      return join(dir, name);
    },
    gauge: (name) => metrics.of(name).value(),
    odd: (reason) => metrics.of('spill_odd', { reason }).value(),
    failure: () => tail.failure(),
    close: () => tail.close(),
  };
  const warn = (key: string) => tailed.warnings.add(key);
  const socket = join(folder, 'intake.sock');
  const limit = createSpillLimit({ dir, maxBytes, socket, metrics, warn });
  const tail = await startTail({
    dir,
    makeFolder: () => void mkdirSync(dir),
    offsetsPath,
    async takeIn(bytes, source) {
      if (tailed.refuse) {
        tailed.refusals++;
        throw new Error('full');
      }
      return note(bytes, source);
    },
    sawShoppers: (bytes) => note(bytes, 'shared'),
    async limit(bytes) {
      tailed.looks++;
      await limit(bytes);
    },
    metrics,
    warn,
    now: Date.now,
    everyMs: 10,
    ...(tornAfterMs !== undefined && { tornAfterMs }),
  });
  started.push(tailed);
  return tailed;

  function note(bytes: Buffer, source: string): { lines: number; bad: number } {
    const lines = bytes.toString('latin1').split('\n').filter(Boolean);
    tailed.taken.push(...lines);
    tailed.sources.add(source);
    tailed.mostWaiting = Math.max(tailed.mostWaiting, tailed.gauge('spill_waiting_bytes'));
    return { lines: lines.length, bad: lines.filter((line) => line.startsWith('bad')).length };
  }
}

/** Waits until exactly these lines have been ingested. */
export async function untilTaken({ taken }: Tailed, lines: string[]): Promise<void> {
  await until(() => taken.length >= lines.length, {
    timeoutMs: PATIENCE_MS,
    what: `${lines.length} lines`,
    detail: () => JSON.stringify(taken.slice(0, 20)),
  });
  if (JSON.stringify(taken) !== JSON.stringify(lines)) {
    throw new Error(`taken in: ${JSON.stringify(taken.slice(0, 20))}`);
  }
}

/** Waits until it has looked into the folder a few times more. */
export async function untilLooked(tailed: Tailed): Promise<void> {
  const before = tailed.looks;
  await until(() => tailed.looks > before + 4, { timeoutMs: PATIENCE_MS, what: 'a few looks' });
}

/** Makes a file look as if it had last been written to that long ago. */
export function age(path: string, seconds: number): void {
  const then = Date.now() / 1000 - seconds;
  utimesSync(path, then, then);
}
