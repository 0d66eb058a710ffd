import type { HotItemEvent } from '../event/event.ts';
import type { EventIndex } from '../store/event-index.ts';
import type { Catalogue } from './wire-catalogue.ts';

type Said = Pick<HotItemEvent, 'name' | 'category'>;

const MOST_KNOWN = 10_000;
const NOTHING: Said = {};

/**
 * An index whose events have name and category of their item when they are created, as the catalogue has them at that moment. The id of an
 * event does not depend on it: what is delivered again is there already, and keeps what it was created with.
 *
 * What creates events without a service does the same: `openLookup`. The first events wait until the
 * catalogue was tried to be loaded: after a restart, events that waited in the log would have no names.
 */
export function joinCatalogue<Joined extends Pick<EventIndex, 'create'>>(
  index: Joined,
  { items, tried }: Pick<Catalogue, 'items' | 'tried'>,
): Joined {
  const join = createJoin(items);
  return {
    ...index,
    async create(some) {
      await tried;
      return index.create(joined(some));
    },
  };

  function* joined(some: Iterable<HotItemEvent | undefined>): Generator<HotItemEvent | undefined> {
    for (const event of some) yield event === undefined ? undefined : join(event);
  }
}

/** Gives an event the name and the category of its item. */
export function createJoin(items: Catalogue['items']): (event: HotItemEvent) => HotItemEvent {
  /** Of the items viewed lately, as `current` has them. */
  let known = new Map<string, Said>();
  let current = items();
  return (event) => {
    const { name, category } = saidOf(event.item);
    if (name !== undefined) event.name = name;
    if (category !== undefined) event.category = category;
    return event;
  };

  function saidOf(item: string): Said {
    const newest = items();
    if (newest === undefined) return NOTHING;
    if (newest !== current || known.size >= MOST_KNOWN) {
      current = newest;
      known = new Map();
    }
    const before = known.get(item);
    if (before !== undefined) return before;
    const { name, category } = newest.get(item) ?? {};
    const said = { ...(name !== undefined && { name }), ...(category !== undefined && { category }) };
    known.set(item, said);
    return said;
  }
}
