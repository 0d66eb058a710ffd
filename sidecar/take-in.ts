import type { BadLine } from '../event/from-line.ts';
import { fromLine } from '../event/from-line.ts';
import type { Metrics } from '../service/metrics.ts';
import type { SIDECAR_METRICS } from './metrics.ts';
import type { RecentIds } from './recent-ids.ts';

export type Source = 'intake' | 'spill';

export type TakeInOptions = {
  node: string;
  recent: RecentIds;
  /** Resolves once the events (JSON texts) are on disk. */
  keep: (events: string[]) => Promise<unknown>;
  /** Where a line goes that is no event. */
  reject: (line: BadLine) => void;
  metrics: Metrics<typeof SIDECAR_METRICS>;
};

export type Taken = { lines: number; bad: number };

/** Takes in lines as nginx wrote them, each ended by a newline (the last one may lack it). */
export type TakeIn = (lines: Buffer, source: Source) => Promise<Taken>;

/**
 * The one way into the spool, for what nginx posts and for what it spilled. Resolves when every event of `lines` is kept;
 * rejects as `keep` does, and then none of them counts: they may all come again.
 */
export function createTakeIn({ node, recent, keep, reject, metrics }: TakeInOptions): TakeIn {
  const meters = { intake: metersOf('intake'), spill: metersOf('spill') };
  return async (lines, source) => {
    const { received, accepted, duplicates } = meters[source];
    const ids: string[] = [];
    const events: string[] = [];
    const bad: BadLine[] = [];
    let count = 0;
    let known = 0;
    for (const line of split(lines)) {
      count++;
      const event = fromLine(line, node);
      if ('reason' in event) bad.push(event);
      else if (recent.has(event.id)) known++;
      else {
        ids.push(event.id);
        events.push(JSON.stringify(event));
      }
    }
    if (events.length > 0) await keep(events);
    // Only now: a line whose write failed comes again, and must not pass for a duplicate then.
    for (const id of ids) recent.add(id);
    received.add(count);
    accepted.add(events.length);
    duplicates.add(known);
    for (const line of bad) {
      metrics.of('intake_bad_lines_total', { reason: line.reason }).add();
      reject(line);
    }
    return { lines: count, bad: bad.length };
  };

  function metersOf(from: Source) {
    return {
      received: metrics.of('intake_lines_total', { from }),
      accepted: metrics.of('intake_accepted_total', { from }),
      duplicates: metrics.of('intake_duplicates_total', { from }),
    };
  }
}

/** One character a byte: what a shopper sends need not be UTF-8. */
function* split(lines: Buffer): Generator<string> {
  const text = lines.toString('latin1');
  let from = 0;
  while (from < text.length) {
    const newline = text.indexOf('\n', from);
    const end = newline === -1 ? text.length : newline;
    if (end > from) yield text.slice(from, end);
    from = end + 1;
  }
}
