import { setTimeout as sleep } from 'node:timers/promises';
import type { ReadRecord } from '../sink/read-record.ts';
import { IndexUnavailable } from '../store/event-index.ts';
import type { PlainLookup } from '../store/event-lookup.ts';
import type { History, OnRead, PastRecord, Place, Reach, RemovedRange, TimeRange } from '../store/history.ts';
import type { DeadOrigins } from './dead-origins.ts';
import { createSequenceGaps, type Gap } from './gaps.ts';
import { chunksOf, countOf, originOf, type PastEvent, pastEvents } from './past-events.ts';
import { countRemoved } from './removed-unread.ts';

export type VerifyOptions = {
  history: History;
  lookup: PlainLookup;
  read: ReadRecord;
  range: TimeRange;
  /** Undefined if there are too many to remember. */
  dead: DeadOrigins | undefined;
  /** Dead letters whose event is unknown. */
  undecodableLetters?: number;
  /** Records that a sink found removed before it had read them. */
  removedUnread: RemovedRange[];
  /** Examples of each kind. */
  examples: number;
  now: number;
  onRead?: OnRead;
};

/** expected = there + dead + waiting + missing + undecodable */
export type Books = {
  /** Records of the range in the log. */
  records: number;
  /** Duplicates in the log: it may contain an event twice. */
  repeated: number;
  expected: number;
  /** In the index at least once. */
  there: number;
  /** Not in the index, but named by a dead letter. */
  dead: number;
  /** Not in the index, and the sink has not reached it yet. */
  waiting: number;
  /** Not in the index, for an unknown reason. */
  missing: number;
  /** Cannot be decoded, and no dead letter names them. They may be in the index, if they could be decoded earlier. */
  undecodable: number;
  /** In the index more than once. */
  duplicate: number;
  /** Records of any time that were removed from the log before the sink had read them: their content is unknown. */
  removed: number;
};

export type Example = { id: string; origin: string };

export type Verified = Books & {
  /** Sequences of a spool that are missing in its log. */
  gaps: Gap[];
  examples: Record<'missing' | 'duplicate' | 'dead' | 'undecodable', Example[]>;
  removedUnread: RemovedRange[];
  /** Dead letters that cannot be decoded: they may name as many of the missing events. */
  undecodableLetters: number;
  /** Earlier records were removed from the log, ms since 1970; undefined if none were. */
  removedBefore: number | undefined;
  /** Why the result is uncertain; empty if it is not. */
  doubts: string[];
};

/** Ids remembered to detect duplicates: at least the last 250,000, some 50 MB. */
const REMEMBERED = 250_000;
/** Ids looked up a second time at the end. */
const MOST_MISSING = 100_000;

/**
 * Compares the events in a log with those in the index, in one pass over the log: each thousand is looked up and then forgotten, so memory
 * does not grow with the range.
 */
export async function verify(options: VerifyOptions): Promise<Verified> {
  const { history, lookup, read, range, dead, undecodableLetters = 0, now, onRead } = options;
  const books: Books = {
    records: 0,
    repeated: 0,
    expected: 0,
    there: 0,
    dead: 0,
    waiting: 0,
    missing: 0,
    undecodable: 0,
    duplicate: 0,
    removed: 0,
  };
  const examples: Verified['examples'] = { missing: [], duplicate: [], dead: [], undecodable: [] };
  /** Everything that cannot be decoded, whatever its outcome. */
  let unreadable = 0;
  const gaps = createSequenceGaps();
  const known = createKnown();
  let missing: Example[] = [];
  const refreshed = await lookup.refresh();
  const reach = await history.read(range, look, onRead);
  const { since, removedBefore } = reach;
  const removedUnread = distinct([...reach.removedUnread, ...options.removedUnread]);
  await lookAgain();
  for (const origin of dead?.origins() ?? []) {
    const place = toPlace(origin);
    if (place !== undefined) gaps.excuse(place);
  }
  for (const one of removedUnread) books.removed += countRemoved(one);
  const found = gaps.find({ since, until: Math.min(now, range.to) });
  const absent = sum((found ?? []).map(({ first, last }) => last - first + 1));
  const mayBeUndecodable = absent > 0 && absent <= unreadable;
  const doubts = doubtsOf(reach, found === undefined, mayBeUndecodable && absent !== unreadable);
  // Sequences within what cannot be decoded were sent.
  const kept = mayBeUndecodable ? [] : (found ?? []);
  return { ...books, gaps: kept, examples, removedBefore, removedUnread, undecodableLetters, doubts };

  async function look(records: PastRecord[]): Promise<void> {
    for (const { place, received } of records) {
      if (place !== undefined && received !== undefined) gaps.add(place, received);
    }
    for (const some of chunksOf(pastEvents(records, range, read), lookup.most)) await compare(some);
  }

  async function compare(some: PastEvent[]): Promise<void> {
    const fresh = some.filter((past) => known.isNew(idOf(past)));
    const counts = await indexedOf(fresh);
    const expected = sum(fresh.map(countOf));
    books.records += expected + some.length - fresh.length;
    books.repeated += some.length - fresh.length;
    books.expected += expected;
    fresh.forEach((past, i) => {
      enter(past, counts[i] ?? 0);
    });
  }

  async function indexedOf(some: PastEvent[]): Promise<number[]> {
    const ids = some.flatMap((past) => ('event' in past ? [past.event.id] : []));
    const counts = await count(ids);
    // A record that is not an event is in no index.
    return some.map((past) => ('event' in past ? (counts.shift() ?? 0) : 0));
  }

  /** An index that has no answer for an id does not say that it is missing. */
  async function count(ids: string[]): Promise<number[]> {
    const counts = await lookup.count(ids);
    if (counts.length === ids.length) return counts;
    throw new IndexUnavailable(`${lookup.name} answered for ${counts.length} of ${ids.length} events`);
  }

  function enter(past: PastEvent, count: number): void {
    const example = { id: idOf(past), origin: originOf(past.record) };
    const records = countOf(past);
    const { waiting, received, undecodable } = past.record;
    if (undecodable !== undefined) unreadable += records;
    if (count > 0) books.there++;
    else if (dead?.has(example.origin, received)) note('dead', example, records);
    else if (waiting) books.waiting += records;
    else if (undecodable !== undefined) note('undecodable', example, records);
    else {
      books.missing++;
      if (missing.length < MOST_MISSING) missing.push(example);
    }
    if (count > 1) note('duplicate', example);
  }

  /** If refreshing is not permitted, recently created events become visible only after a while. */
  async function lookAgain(): Promise<void> {
    if (!refreshed && missing.length > 0) await sleep(lookup.refreshMs);
    const still: Example[] = [];
    for (let at = 0; at < missing.length; at += lookup.most) {
      const some = missing.slice(at, at + lookup.most);
      const counts = await count(some.map(({ id }) => id));
      still.push(...some.filter((_, i) => counts[i] === 0));
    }
    books.there += missing.length - still.length;
    books.missing -= missing.length - still.length;
    missing = still;
    examples.missing = missing.slice(0, options.examples);
  }

  function note(kind: 'dead' | 'duplicate' | 'undecodable', example: Example, records = 1): void {
    books[kind] += records;
    if (examples[kind].length < options.examples) examples[kind].push(example);
  }

  function doubtsOf(
    { unread, forgotten, damage }: Reach,
    tooScattered: boolean,
    absentOrNot: boolean,
  ): string[] {
    const [first] = examples.undecodable;
    return [
      books.undecodable > 0 &&
        `${books.undecodable} records cannot be decoded, and no dead letter names them; the first at ${first?.origin}`,
      undecodableLetters > 0 &&
        `${undecodableLetters} dead letters cannot be decoded: missing events may be among them`,
      absentOrNot && 'skipped sequences may be among what cannot be decoded',
      removedBefore !== undefined &&
        range.from > 0 &&
        range.from < removedBefore &&
        `the log reaches back to ${new Date(removedBefore).toISOString()} only`,
      books.waiting > 0 && unread !== undefined && `${unread}: events that wait there may be missing`,
      forgotten,
      damage,
      dead === undefined && 'there are too many dead letters to compare',
      tooScattered && 'the sequences are too scattered to find gaps',
    ].filter((doubt) => typeof doubt === 'string');
  }
}

/** A sink may report it twice, and again until it has committed past it. */
function distinct(ranges: RemovedRange[]): RemovedRange[] {
  const byPlace = new Map(ranges.map((one) => [`${one.source}/${one.first}`, one]));
  const places = [...byPlace.keys()].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  return places.flatMap((place) => byPlace.get(place) ?? []);
}

/** Of an event that a forwarder gave up: `web-1/BOOT/77`. */
function toPlace(origin: string): Place | undefined {
  const [, node, boot, sequence] = /^(.+)\/([\da-f]{32})\/(\d{1,15})$/.exec(origin) ?? [];
  if (node === undefined || boot === undefined) return undefined;
  return { node, boot, sequence: Number(sequence) };
}

/** A record that is not an event is named by its position. */
function idOf(past: PastEvent): string {
  return 'event' in past ? past.event.id : originOf(past.record);
}

function sum(counts: number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

/** Two generations: when the younger is full, it replaces the older, which is forgotten. */
function createKnown(): { isNew(id: string): boolean } {
  let young = new Set<string>();
  let old = new Set<string>();
  return {
    isNew(id) {
      if (young.has(id) || old.has(id)) return false;
      young.add(id);
      if (young.size === REMEMBERED) {
        old = young;
        young = new Set();
      }
      return true;
    },
  };
}
