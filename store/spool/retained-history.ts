import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  type History,
  type OnRead,
  type PastRecord,
  type Reach,
  SKEW_MS,
  type TimeRange,
} from '../history.ts';
import { readCursor } from './cursor.ts';
import { SpoolError } from './error.ts';
import { bytesSince, readSpool, segmentsOf } from './history.ts';
import { readOrMakeId } from './id.ts';
import type { Segment } from './segments.ts';

export type RetainedHistoryOptions = {
  dir: string;
  /** The consumer that feeds the index: events that it has not passed are still waiting. */
  cursor: string;
  node: string;
};

const SOURCE = 'spool';

/** The spool in `dir` as history, including retained events. Read-only: it does not affect the process that holds the spool. */
export function createRetainedHistory({ dir, cursor, node }: RetainedHistoryOptions): History {
  return { name: `spool ${dir}`, read, close: async () => {} };

  async function read(
    { from }: TimeRange,
    handle: (records: PastRecord[]) => Promise<void>,
    onRead?: OnRead,
  ): Promise<Reach> {
    const id = join(dir, 'id');
    // Opening the log would create one.
    if (!existsSync(id)) throw new SpoolError('SPOOL_OPEN', `there is no spool in ${dir}`);
    const boot = await readOrMakeId(id);
    const passed = (await readCursor(join(dir, 'cursors', cursor)))?.sequence;
    const segments = await segmentsOf(dir);
    let removedBefore = await beginOf(dir, segments);
    const since = Math.max(0, from - SKEW_MS);
    let begin: number | undefined;
    let damaged = 0;
    let removed: Segment | undefined;
    const reading = readSpool({
      dir,
      from: since,
      segments,
      onRemoved(segment) {
        removed = segment;
      },
      onDamage({ bytes }) {
        damaged += bytes;
      },
    });
    const of = bytesSince(segments, since);
    let done = 0;
    for await (const { first, received, values, lines } of reading) {
      // The sidecar has overtaken this reader: it is complete from here on only.
      if (removed !== undefined) removedBefore = received;
      removed = undefined;
      begin ??= first;
      await handle(values.map((value, i) => toPast(value, first + i, received)));
      done += lines.length;
      onRead?.(done, of);
    }
    if (removed !== undefined) removedBefore = removed.written;
    return {
      since: begin === 0 && removedBefore === undefined ? 0 : Math.max(since, removedBefore ?? 0),
      removedBefore,
      // The spool removes what its consumer has passed.
      removedUnread: [],
      unread: passed === undefined ? `consumer ${cursor} has no position in the spool` : undefined,
      forgotten: undefined,
      damage: damaged === 0 ? undefined : `${damaged} bytes of the spool are damaged`,
    };

    function toPast(value: Buffer, sequence: number, received: number): PastRecord {
      return {
        value,
        received,
        source: SOURCE,
        position: String(sequence),
        waiting: sequence >= (passed ?? 0),
        place: { node, boot, sequence },
      };
    }
  }
}

/** When the oldest event that is left was received; undefined if nothing was ever removed. */
async function beginOf(dir: string, segments: Segment[]): Promise<number | undefined> {
  const [oldest] = segments;
  if (oldest === undefined || oldest.first === 0) return undefined;
  for await (const { received } of readSpool({ dir, from: 0, segments })) return received;
  return oldest.written;
}
