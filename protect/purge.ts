import { reasonOf } from '../service/log.ts';
import { AT_ONCE } from './budget.ts';
import { type Entry, isKept } from './entry.ts';

/** What became of a purged page. `ageMs`: since the origin was asked for it. */
export type Purged = { item: string; ageMs: number } | { item: string; reason: string };

/** The page to be purged is not kept. */
export class NothingKept extends Error {
  override name = 'NothingKept';
}

export type PurgeOptions = {
  entries: ReadonlyMap<string, Entry>;
  /** Asks for its page now. Returns the work, undefined if its address is not known. */
  begin: (entry: Entry) => Entry['work'];
  isClosed: () => boolean;
  whyWaiting: (entry: Entry) => string;
  now: () => number;
};

/** Returns what asks for the page of an item now, or for all that are kept. For one item it rejects with `NothingKept` if there is no new page. */
export function createPurge({
  entries,
  begin,
  isClosed,
  whyWaiting,
  now,
}: PurgeOptions): (item: string | undefined) => Promise<Purged[]> {
  return async (item) => (item === undefined ? purgeAll() : [await purgeItem(item)]);

  async function purgeAll(): Promise<Purged[]> {
    const rest = [...entries.values()].filter(isKept).values();
    const purged: Purged[] = [];
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (const { item } of rest)
          purged.push(await purgeItem(item).catch((error) => ({ item, reason: reasonOf(error) })));
      }),
    );
    return purged;
  }

  async function purgeItem(item: string): Promise<Purged> {
    const entry = entries.get(item);
    if (entry === undefined) throw new NothingKept(`no page of ${item} is kept`);
    // One that is under way may have been asked for before the change.
    while (entry.work !== undefined) await entry.work;
    const work = begin(entry);
    const askedAt = await work;
    if (askedAt !== undefined) return { item, ageMs: Math.max(0, now() - askedAt) };
    if (isClosed()) throw new NothingKept(`the page of ${item}: the sidecar stops`);
    if (entries.get(item) !== entry) throw new NothingKept(`no page of ${item} is kept: it has cooled`);
    if (work === undefined) throw new NothingKept(`no page of ${item} is kept: ${whyWaiting(entry)}`);
    const { state } = entry;
    throw new NothingKept(`the page of ${item}${isKept(entry) ? '' : ' is not kept'}: ${state.reason}`);
  }
}
