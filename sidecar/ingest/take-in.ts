import type { BadLine, BadLineReason } from '../../event/bad-line.ts';
import type { EventWriter, Extent } from '../../event/event-writer.ts';
import { createLine, type Line } from '../../event/line.ts';
import { testToken } from '../../event/test-view.ts';
import { afterTear, betweenNuls } from '../../event/torn-line.ts';
import type { Metrics } from '../../service/metrics.ts';
import type { SIDECAR_METRICS } from '../metrics.ts';
import { createEncodedEvents, type EncodedEvents } from './encoded-events.ts';
import { isKept, type LoadShedding } from './load-shedding.ts';
import { type NewViews, NO_VIEWS, type ViewBatch } from './new-views.ts';
import type { RecentIds } from './recent-ids.ts';
import { createRepeatedIds } from './repeated-ids.ts';
import { createWritesUnderWay } from './writes-under-way.ts';

/** `intake`: posted by nginx. `spill`, `log`: from a file, written while the sidecar was unavailable, or by the log transport. */
export type Source = 'intake' | 'spill' | 'log';

export type TakeInOptions = {
  recent: RecentIds;
  writer: EventWriter;
  /** How many events are kept while the spool fills up; absent: all. */
  shedding?: LoadShedding | undefined;
  /** Resolves once the events are on disk. */
  keep: (events: { bytes: Buffer; count: number }) => Promise<unknown>;
  /** Receives each new view once it is stored. */
  newViews?: NewViews | undefined;
  /** Called with each test view of `hotitem doctor`, and its event. */
  onTest?: (token: string, event: string) => void;
  /** Receives lines that are not events. */
  reject: (line: BadLine) => void;
  metrics: Metrics<typeof SIDECAR_METRICS>;
};

export type Taken = { lines: number; bad: number };

/** A request has more invalid lines than nginx posts lines at once. None of its lines counts. */
export class TooManyBadLines extends Error {
  override name = 'TooManyBadLines';
}

/** Ingests lines as nginx wrote them, each ended by a newline (optional for the last one). */
export type TakeIn = (lines: Buffer, source: Source) => Promise<Taken>;

/** The outcome of the lines of one call. */
type Sorted = {
  events: EncodedEvents;
  views: ViewBatch;
  /** The ids so far, to which each further one is compared, as it is to earlier calls. Undefined: none was compared yet. */
  seen: Set<string> | undefined;
  /** `bitsOf` the ids of all events, including those that are shed: words 0 and 1. */
  high: number[];
  low: number[];
  bad: BadLines;
  lines: number;
  duplicates: number;
  sampledOut: number;
};

/** Invalid lines that are stored, and the number of lines per reason. */
type BadLines = { shown: BadLine[]; count: number; byReason: Map<BadLineReason, number> };

/** The maximum number of lines that nginx posts at once. Further invalid lines in a file are counted but not stored. */
const MOST_BAD_LINES = 1_000;
/** The usual number of concurrent requests from nginx's workers. */
const SPARE_BUFFERS = 4;
/** Twice what nginx posts, or the tail reads, at once. */
const LARGEST_SPARE_BYTES = 1024 * 1024;
const EVERYTHING: Extent = { oneIn: 1, bare: false };

/**
 * The only way into the spool, for posted and for spilled lines. Resolves when all events of `lines` are stored. Rejects if `keep` does;
 * then none of them counts, and all may be resent.
 */
export function createTakeIn(options: TakeInOptions): TakeIn {
  const { recent, writer, shedding, keep, newViews = NO_VIEWS, onTest, reject, metrics } = options;
  const line = createLine();
  const meters = { intake: metersOf('intake'), spill: metersOf('spill'), log: metersOf('log') };
  const writes = createWritesUnderWay();
  const isRepeated = createRepeatedIds();
  /** Buffers that are reused: half a megabyte of garbage per call would be collected late. */
  const spare: Buffer[] = [];
  return async (lines, source) => {
    const { received, accepted, duplicates, sampledOut } = meters[source];
    const views = newViews.begin(lines);
    try {
      // Duplicates are rare: one lookup for all lines costs a third of single ones. Only if it finds any, each line is looked up.
      let sorted = sort(lines, source, { areNew: true, views });
      // A spill file may contain a view twice: in a reload, the worker that exits and its successor write what waits in the zone.
      if (recent.hasAny(sorted.high, sorted.low) || (source !== 'intake' && isRepeated(sorted.low)))
        sorted = sort(lines, source, { areNew: false, views });
      // nginx timed out and resent a line: it is a duplicate if the other write succeeds.
      for (let other = writes.sharing(sorted.low); other !== undefined; other = writes.sharing(sorted.low)) {
        await other;
        sorted = sort(lines, source, { areNew: false, views });
      }
      const events = sorted.events.finish();
      if (sorted.low.length > 0) await writes.whileUnderWay(sorted.low, keepAll(sorted, events));
      // Not after a failure: the buffer may still be in use.
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
    // Only now: a line whose write failed is resent, and must not count as a duplicate then.
    for (let i = 0; i < low.length; i++) recent.add(high[i] ?? 0, low[i] ?? 0);
  }

  /** `areNew`: skip the lookup for duplicates. */
  function sort(
    lines: Buffer,
    source: Source,
    { areNew, views }: { areNew: boolean; views: ViewBatch },
  ): Sorted {
    views.clear();
    const extent = shedding?.extent() ?? EVERYTHING;
    const events = createEncodedEvents(lines.length, spare.pop());
    const bad: BadLines = { shown: [], count: 0, byReason: new Map() };
    const sorted: Sorted = {
      events,
      views,
      seen: areNew ? undefined : new Set(),
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
      // A quick check for damage by a full disk or a power cut: most lines need no closer look.
      if (isFile && (!isEvent || line.isOdd()))
        sortDamaged(lines.toString('latin1', at, end), extent, sorted);
      else if (isEvent) sortEvent(extent, sorted);
      else if (bad.count + empty === MOST_BAD_LINES) throw new TooManyBadLines();
      else if (end > at) sortBad(sorted);
      else empty++;
      at = end + 1;
    }
    return sorted;
  }

  /** NULs from a power cut are not a line, and are counted separately from the lines around them. */
  function sortDamaged(text: string, extent: Extent, sorted: Sorted): void {
    const parts = betweenNuls(text);
    for (const part of parts) if (part !== '') sortTorn(part, extent, sorted);
    for (let i = 1; i < parts.length; i++)
      addBad(sorted.bad, { reason: 'nul', field: 'line', value: 'NULs, as left by a power cut' });
  }

  /** After a line that was torn by a full disk, the next one begins without a newline. */
  function sortTorn(text: string, extent: Extent, sorted: Sorted): void {
    let rest = text;
    for (let second = afterTear(rest); second !== -1; second = afterTear(rest)) {
      sortLine(line.read(Buffer.from(rest.slice(0, second), 'latin1'), 0), extent, sorted);
      rest = rest.slice(second);
    }
    sortLine(line.read(Buffer.from(rest, 'latin1'), 0), extent, sorted);
  }

  /** Handles the line that was read last. */
  function sortLine(isEvent: boolean, extent: Extent, sorted: Sorted): void {
    if (isEvent) sortEvent(extent, sorted);
    else sortBad(sorted);
  }

  function sortBad(sorted: Sorted): void {
    sorted.lines++;
    addBad(sorted.bad, line.bad());
  }

  function sortEvent(extent: Extent, sorted: Sorted): void {
    sorted.lines++;
    const high = line.idBits(0);
    const low = line.idBits(1);
    if (sorted.seen !== undefined) {
      const id = `${high} ${low}`;
      if (recent.has(high, low) || sorted.seen.has(id)) {
        sorted.duplicates++;
        return;
      }
      sorted.seen.add(id);
    }
    sorted.high.push(high);
    sorted.low.push(low);
    sorted.views.add(line);
    if (isKept(high, low, extent.oneIn)) write(line, extent, sorted.events);
    else sorted.sampledOut++;
  }

  function write(view: Line, extent: Extent, events: EncodedEvents): void {
    events.reserve(writer.mostBytes(view));
    const at = events.end();
    events.extend(writer.write(view, events.buffer(), at, extent));
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
