import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import * as z from 'zod';
import { reasonOf } from './log.ts';
import { makeFolder } from './make-folder.ts';
import type { MetricList } from './metrics.ts';
import { createMutex } from './mutex.ts';
import { replaceFile } from './replace-file.ts';

const loss = z.object({
  /** The name of its counter; stable. */
  reason: z.string(),
  /** Views lost recently: since `first`, without a pause of an hour. */
  views: z.number(),
  /** ms since 1970. */
  first: z.number(),
  last: z.number(),
  /** Views lost since this file was created. */
  total: z.number(),
  /** The last value of its source. */
  seen: z.number(),
});

export type Loss = Omit<z.output<typeof loss>, 'seen'>;

/** A counter of lost views, for one reason. */
export type LossSource = {
  reason: string;
  /** Undefined while unknown. */
  total: () => number | undefined;
  /** Whether it continues after a restart of this process; otherwise it starts at 0. */
  lasts?: boolean;
  /** Whether it decreases when views that were believed lost arrive. */
  falls?: boolean;
};

/** A gauge, because it falls when views that were believed lost arrive. */
export const LOSS_METRICS = {
  lost_views: {
    kind: 'gauge',
    help: 'Views lost since the state folder was created, by reason; falls if such views arrive later: nginx_dropped, nginx_missing, sampled_out, spool_damaged, removed (by the retention of Kafka), dead_letters_rolled',
    labels: ['reason'],
  },
} as const satisfies MetricList;

export type LossesOptions = {
  /** Stores losses across restarts. */
  path: string;
  sources: LossSource[];
  now: () => number;
  warn: (key: string, message: string, fields?: object) => void;
};

export type Losses = {
  /** Checks whether more was lost. Resolves when that is on disk. */
  look(): Promise<void>;
  /** Reasons with a loss, the most recent first. */
  list(): Loss[];
  /** Views lost since the file was created, for one reason. */
  total(reason: string): number;
};

/** Without a loss for so long, the next is another spell. */
export const PAUSE_MS = 3_600_000;

/** Records since when, until when and why views were lost: counters alone do not show that. */
export function createLosses({ path, sources, now, warn }: LossesOptions): Losses {
  const known = new Map((readLosses(path) ?? []).map((one) => [one.reason, one]));
  for (const { reason, lasts } of sources) {
    const one = known.get(reason);
    if (one !== undefined && lasts !== true) one.seen = 0;
  }
  const oneByOne = createMutex();
  let isStored = true;
  return { look, list, total: (reason) => known.get(reason)?.total ?? 0 };

  async function look(): Promise<void> {
    for (const source of sources) {
      const total = source.total();
      if (total !== undefined) note(source, total);
    }
    if (!isStored) await oneByOne(store);
  }

  function list(): Loss[] {
    return [...known.values()]
      .filter(({ views }) => views > 0)
      .map(({ seen: _seen, ...one }) => one)
      .sort((a, b) => b.last - a.last);
  }

  function note({ reason, falls }: LossSource, total: number): void {
    const one = known.get(reason) ?? { reason, views: 0, first: 0, last: 0, total: 0, seen: 0 };
    const more = total - one.seen;
    if (more === 0) return;
    one.seen = total;
    if (more > 0) {
      const at = now();
      if (one.views === 0 || at - one.last > PAUSE_MS) Object.assign(one, { views: 0, first: at });
      one.views += more;
      one.total += more;
      one.last = at;
    } else if (falls === true) {
      one.views = Math.max(0, one.views + more);
      one.total = Math.max(0, one.total + more);
    }
    known.set(reason, one);
    isStored = false;
  }

  async function store(): Promise<void> {
    if (isStored) return;
    isStored = true;
    const text = JSON.stringify([...known.values()]);
    try {
      // Mode of the folder of all state: if a sink creates it, nginx's workers must still be able to traverse it.
      makeFolder(dirname(path), 0o755);
      await replaceFile(path, text);
    } catch (error) {
      isStored = false;
      warn('losses', 'the record of losses could not be stored; a restart forgets it', {
        reason: reasonOf(error),
      });
    }
  }
}

/** What a service stored in the file, while it does not run; undefined if there is none that can be read. */
export function readLosses(path: string): z.output<typeof loss>[] | undefined {
  try {
    return z.array(loss).parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
}
