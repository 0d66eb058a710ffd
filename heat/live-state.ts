import type { Decision } from '../detect/decisions.ts';
import type { Figures, ItemFigures } from '../detect/figures.ts';
import type { CatalogueLookup } from '../event/catalogue-item.ts';
import type { SeenEnds, SeenLimit } from '../protect/shoppers.ts';
import type { WholeHotList } from './hot-list.ts';
import type { Happened, LiveDecision, LiveEnds, LiveItem, LiveLimit, LiveSnapshot } from './live.ts';

export type LiveParts = {
  list: WholeHotList;
  /** Of the page. */
  build: string;
  figures: Figures;
  shop: { all: number; people: number };
  /** Maximum number of hot items per signal. */
  cap: number;
  happened: Happened[];
  lookUp?: CatalogueLookup | undefined;
};

/** A hot item with too few views to be tracked, such as a pinned one. */
const UNTRACKED: Omit<ItemFigures, 'item'> = {
  ten: { all: 0, people: 0, visitors: 0 },
  minute: { all: 0, people: 0 },
  series: { all: [], people: [] },
};

export function liveSnapshot({
  list,
  build,
  figures,
  shop,
  cap,
  happened,
  lookUp = noItem,
}: LiveParts): LiveSnapshot {
  const { node, now, frozen, failure, rules } = list;
  const { five, learning, busiest } = figures;
  const counted = new Map(figures.wanted.map((one) => [one.item, one]));
  return {
    head: {
      node,
      build,
      now,
      five,
      shop,
      cap,
      held: new Set(list.held.map(({ item }) => item)).size,
      ...(learning > 0 && { learning }),
      // The words of operators and of the host are for the owner: this is published.
      ...(frozen !== undefined && { frozen: { since: frozen.since } }),
      ...(failure !== undefined && { failure: true }),
      rulesProblems: rules.problems.length,
      ...(busiest !== undefined && {
        busiest: {
          item: busiest.item,
          people: busiest.ten.people,
          visitors: busiest.ten.visitors,
          ...said(busiest.item),
        },
      }),
    },
    items: itemsOf(list).map((item) => ({ ...UNTRACKED, ...counted.get(item.item), ...item })),
    happened: happened.map(named),
  };

  function said(item: string): Pick<LiveItem, 'catalogue'> {
    const catalogue = lookUp(item);
    return catalogue === undefined ? {} : { catalogue };
  }

  function named(one: Happened): Happened {
    const name = lookUp(one.item)?.name;
    return name === undefined ? one : { ...one, name };
  }
}

function noItem(): undefined {}

type Shown = Pick<LiveItem, 'item' | 'decisions' | 'catalogue' | 'problem' | 'page' | 'limit' | 'ends'>;

function itemsOf({ hot }: WholeHotList): Shown[] {
  const items = new Map<string, Shown>();
  for (const { problem, page, limit, ends, catalogue, ...decision } of hot) {
    const known = items.get(decision.item) ?? { item: decision.item, decisions: [] };
    known.decisions.push(liveDecision(decision));
    items.set(decision.item, {
      ...known,
      ...(catalogue !== undefined && { catalogue }),
      ...(problem !== undefined && { problem }),
      ...(page !== undefined && { page }),
      ...(limit !== undefined && { limit: liveLimit(limit) }),
      ...(ends !== undefined && { ends: liveEnds(ends) }),
    });
  }
  return [...items.values()];
}

function liveLimit({ passed, limited, wouldLimit }: SeenLimit): LiveLimit {
  return { passed, limited, wouldLimit };
}

function liveEnds({ ok, notFound, rejected, error, left, since }: SeenEnds): LiveEnds {
  return { ok, notFound, rejected, error, left, since };
}

function liveDecision({ signal, since, until, reason, rule, actions, dryRun }: Decision): LiveDecision {
  return { signal, since, ...(until !== undefined && { until }), reason, rule, actions, dryRun };
}
