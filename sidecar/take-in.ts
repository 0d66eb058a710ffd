import type { BotTest } from '../event/bot-test.ts';
import type { BadLine } from '../event/from-line.ts';
import { fromLine } from '../event/from-line.ts';
import type { Redaction } from '../event/redaction.ts';
import type { Metrics } from '../service/metrics.ts';
import type { SIDECAR_METRICS } from './metrics.ts';
import type { RecentIds } from './recent-ids.ts';

/** `intake`: posted by nginx. `spill`, `log`: from a file, written while the sidecar was away, or because that is the transport. */
export type Source = 'intake' | 'spill' | 'log';

export type TakeInOptions = {
  node: string;
  recent: RecentIds;
  isBot: BotTest;
  /** What may be kept of an event. */
  redact: Redaction;
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
export function createTakeIn({ node, recent, isBot, redact, keep, reject, metrics }: TakeInOptions): TakeIn {
  const meters = { intake: metersOf('intake'), spill: metersOf('spill'), log: metersOf('log') };
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
        if (isBot(event.ua)) event.bot = true;
        ids.push(event.id);
        events.push(JSON.stringify(redact(event)));
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
