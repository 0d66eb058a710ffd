import type { HotItemEvent } from '../event/event.ts';
import type { ReadRecord } from '../sink/read-record.ts';
import type { EventLookup } from '../store/event-lookup.ts';
import type { History, OnRead, PastRecord, RemovedRange, TimeRange } from '../store/history.ts';
import { bringIn } from './bring-in.ts';
import { chunksOf, countOf, originOf, pastEvents } from './past-events.ts';

export type ReplayOptions = {
  history: History;
  lookup: EventLookup;
  read: ReadRecord;
  range: TimeRange;
  /** Only report what would be created. */
  dryRun: boolean;
  onRead?: OnRead;
};

/** read = created + existing + dead */
export type Replayed = {
  /** Records of the range. */
  read: number;
  /** Events that were missing in the index; with `dryRun` those that are. */
  created: number;
  /** Events that existed already, and were left alone. */
  existing: number;
  /** Records that are not events or cannot be decoded, and events that the index rejects permanently. */
  dead: number;
  /** The first of the dead. */
  examples: { origin: string; reason: string }[];
  /** Earlier records were removed from the log, ms since 1970; undefined if none were. */
  removedBefore: number | undefined;
  /** Records removed from the log before the sink had read them: they cannot be recovered. */
  removedUnread: RemovedRange[];
  /** Bytes of the log that cannot be read, in words. */
  damage: string | undefined;
};

const MOST_EXAMPLES = 10;

/** Indexes the events of a time range from a log. Existing events are not changed, so it may be repeated. */
export async function replay(options: ReplayOptions): Promise<Replayed> {
  const { history, lookup, read, range, dryRun, onRead } = options;
  const replayed: Replayed = {
    read: 0,
    created: 0,
    existing: 0,
    dead: 0,
    examples: [],
    removedBefore: undefined,
    removedUnread: [],
    damage: undefined,
  };
  await lookup.refresh();
  const { removedBefore, removedUnread, damage } = await history.read(range, handle, onRead);
  return { ...replayed, removedBefore, removedUnread, damage };

  async function handle(records: PastRecord[]): Promise<void> {
    for (const some of chunksOf(pastEvents(records, range, read), lookup.most)) {
      const events: { event: HotItemEvent; origin: string }[] = [];
      for (const past of some) {
        const count = countOf(past);
        replayed.read += count;
        const origin = originOf(past.record);
        if ('event' in past) events.push({ event: past.event, origin });
        else bury(origin, past.reason, count);
      }
      if (events.length > 0) await bring(events);
    }
  }

  async function bring(some: { event: HotItemEvent; origin: string }[]): Promise<void> {
    const events = some.map(({ event }) => event);
    if (dryRun) {
      const counts = await lookup.count(events.map(({ id }) => id));
      const missing = counts.filter((count) => count === 0).length;
      replayed.created += missing;
      replayed.existing += counts.length - missing;
      return;
    }
    const outcomes = await bringIn(lookup, events);
    outcomes.forEach((outcome, i) => {
      if (outcome.status === 'created') replayed.created++;
      else if (outcome.status === 'there') replayed.existing++;
      else bury(some[i]?.origin ?? '', outcome.reason);
    });
  }

  function bury(origin: string, reason: string, count = 1): void {
    replayed.dead += count;
    if (replayed.examples.length < MOST_EXAMPLES) replayed.examples.push({ origin, reason });
  }
}
