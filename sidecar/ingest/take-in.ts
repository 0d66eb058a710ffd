import type { BadLine, BadLineReason } from '../../event/bad-line.ts';
import type { EventWriter } from '../../event/event-writer.ts';
import { createLine, type Line } from '../../event/line.ts';
import { testToken } from '../../event/test-view.ts';
import { afterTear, betweenNuls } from '../../event/torn-line.ts';
import type { Metrics } from '../../service/metrics.ts';
import type { SIDECAR_METRICS } from '../metrics.ts';
import { createEncodedEvents, type EncodedEvents } from './encoded-events.ts';
import { isKept, type Ladder, type Rung } from './ladder.ts';
import { type NewViews, NO_VIEWS, type ViewBatch } from './new-views.ts';
import type { RecentIds } from './recent-ids.ts';
import { createWritesUnderWay } from './writes-under-way.ts';

/** `intake`: posted by nginx. `spill`, `log`: from a file, written while the sidecar was unavailable, or by the log transport. */
export type Source = 'intake' | 'spill' | 'log';

export type TakeInOptions = {
  recent: RecentIds;
  writer: EventWriter;
  /** How much is kept while the spool fills; everything without one. */
  ladder?: Ladder | undefined;
  /** Resolves once the events are on disk. */
  keep: (events: { bytes: Buffer; count: number }) => Promise<unknown>;
  /** Is shown each new view, once it is kept. */
  newViews?: NewViews | undefined;
  /** Told of a view that `hotitem doctor` sent, with its event. */
  onTest?: (token: string, event: string) => void;
  /** Receives lines that are not events. */
  reject: (line: BadLine) => void;
  metrics: Metrics<typeof SIDECAR_METRICS>;
};

export type Taken = { lines: number; bad: number };

/** A request holds more lines that are no events than nginx posts at all. None of its lines counts. */
export class TooManyBadLines extends Error {
  override name = 'TooManyBadLines';
}

/** Ingests lines as nginx wrote them, each ended by a newline (the last one may lack it). */
export type TakeIn = (lines: Buffer, source: Source) => Promise<Taken>;

/** What has become of the lines of one call. */
type Sorted = {
  events: EncodedEvents;
  views: ViewBatch;
  /** They were not yet compared with earlier ones. */
  areNew: boolean;
  /** `bitsOf` the ids of the events and of those that are sampled out: word 0 and word 1. */
  high: number[];
  low: number[];
  bad: BadLines;
  lines: number;
  duplicates: number;
  sampledOut: number;
};

/** Those that are shown, and how many there are of each reason. */
type BadLines = { shown: BadLine[]; count: number; byReason: Map<BadLineReason, number> };

/** What nginx posts at once, at most. What more there is in a file is counted and not shown. */
const MOST_BAD_LINES = 1_000;
/** As many as requests of nginx' workers are usually under way at once. */
const SPARE_BUFFERS = 4;
/** Twice what nginx posts, or the tail reads, at once. */
const LARGEST_SPARE_BYTES = 1024 * 1024;
const EVERYTHING: Rung = { oneIn: 1, bare: false };

/**
 * The one way into the spool, for what nginx posts and for what it spilled. Resolves when every event of `lines` is kept;
 * rejects as `keep` does, and then none of them counts: all may be redelivered.
 */
export function createTakeIn(options: TakeInOptions): TakeIn {
  const { recent, writer, ladder, keep, newViews = NO_VIEWS, onTest, reject, metrics } = options;
  const line = createLine();
  const meters = { intake: metersOf('intake'), spill: metersOf('spill'), log: metersOf('log') };
  const writes = createWritesUnderWay();
  /** Of batches that are kept: half a megabyte of garbage each would be collected late. */
  const spare: Buffer[] = [];
  return async (lines, source) => {
    const { received, accepted, duplicates, sampledOut } = meters[source];
    const views = newViews.begin(lines);
    try {
      // Duplicates are rare: one look for all lines costs a third of one each, and where it finds any, each is looked for.
      let sorted = sort(lines, source, { areNew: true, views });
      if (recent.hasAny(sorted.high, sorted.low)) sorted = sort(lines, source, { areNew: false, views });
      // nginx gave up waiting and sent a line again: whether it is a duplicate shows when the other is written, or not.
      for (let other = writes.sharing(sorted.low); other !== undefined; other = writes.sharing(sorted.low)) {
        await other;
        sorted = sort(lines, source, { areNew: false, views });
      }
      const events = sorted.events.finish();
      if (sorted.low.length > 0) await writes.whileUnderWay(sorted.low, keepAll(sorted, events));
      // Not after a failure, which may come while it is still being written from.
      const buffer = sorted.events.buffer();
      if (spare.length < SPARE_BUFFERS && buffer.length <= LARGEST_SPARE_BYTES) spare.push(buffer);
      received.add(sorted.lines);
      accepted.add(events.count);
      duplicates.add(sorted.duplicates);
      sampledOut.add(sorted.sampledOut);
      const { bad } = sorted;
      for (const [reason, count] of bad.byReason) metrics.of('intake_bad_lines_total', { reason }).add(count);
      for (const line of bad.shown) reject(line);
      views.count();
      return { lines: sorted.lines, bad: bad.count };
    } catch (error) {
      views.drop();
      throw error;
    }
  };

  async function keepAll({ high, low }: Sorted, events: { bytes: Buffer; count: number }): Promise<void> {
    if (events.count > 0) await keep(events);
    // Only now: a line whose write failed is redelivered, and must not count as a duplicate then.
    for (let i = 0; i < low.length; i++) recent.add(high[i] ?? 0, low[i] ?? 0);
  }

  /** `areNew`: without a look for duplicates. */
  function sort(
    lines: Buffer,
    source: Source,
    { areNew, views }: { areNew: boolean; views: ViewBatch },
  ): Sorted {
    views.clear();
    const rung = ladder?.rung() ?? EVERYTHING;
    const events = createEncodedEvents(lines.length, spare.pop());
    const bad: BadLines = { shown: [], count: 0, byReason: new Map() };
    const sorted: Sorted = {
      events,
      views,
      areNew,
      high: [],
      low: [],
      bad,
      lines: 0,
      duplicates: 0,
      sampledOut: 0,
    };
    const isFile = source !== 'intake';
    let empty = 0;
    for (let at = 0; at < lines.length; ) {
      const isEvent = line.read(lines, at);
      const end = line.lineEnd();
      // What a full disk or a power cut has done to a line shows in it: most need not be looked at.
      if (isFile && (!isEvent || line.isOdd())) sortDamaged(lines.toString('latin1', at, end), rung, sorted);
      else if (isEvent) sortEvent(rung, sorted);
      else if (bad.count + empty === MOST_BAD_LINES) throw new TooManyBadLines();
      else if (end > at) sortBad(sorted);
      else empty++;
      at = end + 1;
    }
    return sorted;
  }

  /** NULs from a power cut are not a line, and are counted apart from the lines around them. */
  function sortDamaged(text: string, rung: Rung, sorted: Sorted): void {
    const parts = betweenNuls(text);
    for (const part of parts) if (part !== '') sortTorn(part, rung, sorted);
    for (let i = 1; i < parts.length; i++)
      addBad(sorted.bad, { reason: 'nul', field: 'line', value: 'NULs, as left by a power cut' });
  }

  /** Behind a line that its disk had no more room for the next one begins without a newline. */
  function sortTorn(text: string, rung: Rung, sorted: Sorted): void {
    let rest = text;
    for (let second = afterTear(rest); second !== -1; second = afterTear(rest)) {
      sortLine(line.read(Buffer.from(rest.slice(0, second), 'latin1'), 0), rung, sorted);
      rest = rest.slice(second);
    }
    sortLine(line.read(Buffer.from(rest, 'latin1'), 0), rung, sorted);
  }

  /** Deals with the line that was read last. */
  function sortLine(isEvent: boolean, rung: Rung, sorted: Sorted): void {
    if (isEvent) sortEvent(rung, sorted);
    else sortBad(sorted);
  }

  function sortBad(sorted: Sorted): void {
    sorted.lines++;
    addBad(sorted.bad, line.bad());
  }

  function sortEvent(rung: Rung, sorted: Sorted): void {
    sorted.lines++;
    const high = line.idBits(0);
    const low = line.idBits(1);
    if (!sorted.areNew && recent.has(high, low)) {
      sorted.duplicates++;
      return;
    }
    sorted.high.push(high);
    sorted.low.push(low);
    sorted.views.add(line);
    if (isKept(high, low, rung.oneIn)) write(line, rung, sorted.events);
    else sorted.sampledOut++;
  }

  function write(view: Line, rung: Rung, events: EncodedEvents): void {
    events.reserve(writer.mostBytes(view));
    const at = events.end();
    events.extend(writer.write(view, events.buffer(), at, rung));
    const token = onTest === undefined ? undefined : testToken(view);
    if (token !== undefined) onTest?.(token, events.buffer().toString('utf8', at, events.end()));
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

function addBad(bad: BadLines, line: BadLine): void {
  bad.count++;
  bad.byReason.set(line.reason, (bad.byReason.get(line.reason) ?? 0) + 1);
  if (bad.shown.length < MOST_BAD_LINES) bad.shown.push(line);
}
