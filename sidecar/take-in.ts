import type { BotTest } from '../event/bot-test.ts';
import type { DailyHash } from '../event/daily-hash.ts';
import type { BadLine } from '../event/from-line.ts';
import { fromLine } from '../event/from-line.ts';
import { bitsOf } from '../event/id-bits.ts';
import type { PlainLines } from '../event/plain-line.ts';
import type { Redaction } from '../event/redaction.ts';
import { afterTear, betweenNuls } from '../event/torn-line.ts';
import type { Metrics } from '../service/metrics.ts';
import { createEncodedEvents, type EncodedEvents } from './encoded-events.ts';
import { isKept, type Ladder, type Rung, weighted } from './ladder.ts';
import type { SIDECAR_METRICS } from './metrics.ts';
import type { RecentIds } from './recent-ids.ts';
import { createWritesUnderWay } from './writes-under-way.ts';

/** `intake`: posted by nginx. `spill`, `log`: from a file, written while the sidecar was away, or because that is the transport. */
export type Source = 'intake' | 'spill' | 'log';

export type TakeInOptions = {
  node: string;
  /** What is kept of visitor keys; without a salt where it is left out. */
  hashVisitor?: DailyHash;
  recent: RecentIds;
  isBot: BotTest;
  /** What may be kept of an event. */
  redact: Redaction;
  /** The short way for most lines, where everything may be kept. */
  plain?: PlainLines | undefined;
  /** How much is kept while the spool fills; everything without one. */
  ladder?: Ladder | undefined;
  /** Resolves once the events are on disk. */
  keep: (events: { bytes: Buffer; count: number }) => Promise<unknown>;
  /** Where a line goes that is no event. */
  reject: (line: BadLine) => void;
  metrics: Metrics<typeof SIDECAR_METRICS>;
};

export type Taken = { lines: number; bad: number };

/** Takes in lines as nginx wrote them, each ended by a newline (the last one may lack it). */
export type TakeIn = (lines: Buffer, source: Source) => Promise<Taken>;

/** What has become of the lines of one call. */
type Sorted = {
  events: EncodedEvents;
  /** `bitsOf` the ids of the events and of those that are sampled out: word 0 and word 1. */
  high: number[];
  low: number[];
  bad: BadLine[];
  lines: number;
  duplicates: number;
  sampledOut: number;
};

const NEWLINE = 0x0a;
/** As many as requests of nginx' workers are usually under way at once. */
const SPARE_BUFFERS = 4;
/** Twice what nginx posts, or the tail reads, at once. */
const LARGEST_SPARE_BYTES = 1024 * 1024;
const EVERYTHING: Rung = { oneIn: 1, bare: false };

/**
 * The one way into the spool, for what nginx posts and for what it spilled. Resolves when every event of `lines` is kept;
 * rejects as `keep` does, and then none of them counts: they may all come again.
 */
export function createTakeIn(options: TakeInOptions): TakeIn {
  const { node, hashVisitor, recent, isBot, redact, plain, ladder, keep, reject, metrics } = options;
  const meters = { intake: metersOf('intake'), spill: metersOf('spill'), log: metersOf('log') };
  const writes = createWritesUnderWay();
  /** Of batches that are kept: half a megabyte of garbage each would be collected late. */
  const spare: Buffer[] = [];
  return async (lines, source) => {
    const { received, accepted, duplicates, sampledOut } = meters[source];
    let sorted = sort(lines, source);
    // nginx gave up waiting and sent a line again: whether it is a duplicate shows when the other is written, or not.
    for (let other = writes.sharing(sorted.low); other !== undefined; other = writes.sharing(sorted.low)) {
      await other;
      sorted = sort(lines, source);
    }
    const events = sorted.events.finish();
    if (sorted.low.length > 0) await writes.whileUnderWay(sorted.low, write(sorted, events));
    // Not after a failure, which may come while it is still being written from.
    const buffer = sorted.events.buffer();
    if (spare.length < SPARE_BUFFERS && buffer.length <= LARGEST_SPARE_BYTES) spare.push(buffer);
    received.add(sorted.lines);
    accepted.add(events.count);
    duplicates.add(sorted.duplicates);
    sampledOut.add(sorted.sampledOut);
    for (const line of sorted.bad) {
      metrics.of('intake_bad_lines_total', { reason: line.reason }).add();
      reject(line);
    }
    return { lines: sorted.lines, bad: sorted.bad.length };
  };

  async function write({ high, low }: Sorted, events: { bytes: Buffer; count: number }): Promise<void> {
    if (events.count > 0) await keep(events);
    // Only now: a line whose write failed comes again, and must not pass for a duplicate then.
    for (let i = 0; i < low.length; i++) recent.add(high[i] ?? 0, low[i] ?? 0);
  }

  function sort(lines: Buffer, source: Source): Sorted {
    const rung = ladder?.rung() ?? EVERYTHING;
    const takeLong = source === 'intake' ? take : takeFromFile;
    const events = createEncodedEvents(lines.length, spare.pop());
    const sorted: Sorted = { events, high: [], low: [], bad: [], lines: 0, duplicates: 0, sampledOut: 0 };
    const short = rung.oneIn === 1 ? plain : undefined;
    for (let at = 0; at < lines.length; ) {
      let end = short === undefined ? -1 : takeShort(lines, at, sorted, short);
      if (end === -1) {
        const newline = lines.indexOf(NEWLINE, at);
        end = newline === -1 ? lines.length : newline;
        // One character a byte: what a shopper sends need not be UTF-8.
        if (end > at) takeLong(lines.toString('latin1', at, end), rung, sorted);
      }
      at = end + 1;
    }
    return sorted;
  }

  /** Returns where the line ends, or -1 when it has to go the long way. */
  function takeShort(lines: Buffer, at: number, sorted: Sorted, short: PlainLines): number {
    const { events } = sorted;
    events.reserve(lines.length - at + short.mostAdded);
    if (!short.write(lines, at, events.buffer(), events.end())) return -1;
    sorted.lines++;
    if (isNew(short.idBits(0), short.idBits(1), sorted)) events.extend(short.outEnd());
    return short.lineEnd();
  }

  /** Of a file: what a power cut made NULs is none of its lines, and counted apart from them. */
  function takeFromFile(line: string, rung: Rung, sorted: Sorted): void {
    const parts = betweenNuls(line);
    for (const part of parts) if (part !== '') takeTorn(part, rung, sorted);
    for (let i = 1; i < parts.length; i++)
      sorted.bad.push({ reason: 'nul', field: 'line', value: 'NULs, as a power cut leaves them' });
  }

  /** What its disk had no more room for goes on in the line behind it. */
  function takeTorn(line: string, rung: Rung, sorted: Sorted): void {
    let rest = line;
    for (let second = afterTear(rest); second !== -1; second = afterTear(rest)) {
      take(rest.slice(0, second), rung, sorted);
      rest = rest.slice(second);
    }
    take(rest, rung, sorted);
  }

  function take(line: string, rung: Rung, sorted: Sorted): void {
    sorted.lines++;
    const event = fromLine(line, node, hashVisitor);
    if ('reason' in event) {
      sorted.bad.push(event);
      return;
    }
    if (!isNew(bitsOf(event.id, 0), bitsOf(event.id, 1), sorted)) return;
    if (!isKept(event.id, rung.oneIn)) {
      sorted.sampledOut++;
      return;
    }
    if (isBot(event.ua)) event.bot = true;
    sorted.events.add(JSON.stringify(weighted(redact(event), rung)));
  }

  function isNew(high: number, low: number, sorted: Sorted): boolean {
    if (recent.has(high, low)) {
      sorted.duplicates++;
      return false;
    }
    sorted.high.push(high);
    sorted.low.push(low);
    return true;
  }

  function metersOf(from: Source) {
    return {
      received: metrics.of('intake_lines_total', { from }),
      accepted: metrics.of('intake_accepted_total', { from }),
      duplicates: metrics.of('intake_duplicates_total', { from }),
      sampledOut: metrics.of('intake_sampled_out_total', { from }),
    };
  }
}
