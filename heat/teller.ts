import type { Change, Decision, Decisions } from '../detect/decisions.ts';
import type { Outbox } from './outbox.ts';
import type { Overrides } from './overrides.ts';
import { type ToldDecision, toToldDecision } from './told-decision.ts';

/** The cap holds an item back. */
export type HeldChange = Decision & { change: 'held' };

/** Adds decisions to the outbox. */
export type Teller = {
  /**
   * Called at the start: compares the hot items in `decisions` with those in `before`, and reports the ones that have left and those that
   * stay.
   */
  begin(before: readonly Decision[]): void;
  /** `by`: who decided. */
  tell(change: Change | HeldChange, by: string): void;
  /** Repeats once a day which items are hot, for a topic that forgets. */
  tick(now: number): void;
};

export type TellerOptions = {
  node: string;
  now: () => number;
  decisions: Pick<Decisions, 'hot' | 'heldCount' | 'isHot' | 'version'>;
  overrides: Pick<Overrides, 'of'>;
  outbox: Pick<Outbox, 'add'>;
};

const AGAIN_MS = 86_400_000;

export function createTeller({ node, now, decisions, overrides, outbox }: TellerOptions): Teller {
  let toldAllAt = now();
  return {
    begin(before) {
      for (const decision of before) {
        if (decisions.isHot(decision.item, decision.signal)) continue;
        add({ ...decision, version: decisions.version(), change: 'leaves' }, 'restart');
      }
      tellAll();
    },
    tell: (change, by) => add(change, by),
    tick(time) {
      if (Math.abs(time - toldAllAt) < AGAIN_MS) return;
      toldAllAt = time;
      tellAll();
    },
  };

  /** One per item, with the signals by which it is hot. */
  function tellAll(): void {
    const held = decisions.heldCount();
    for (const [item, hot] of byItem(decisions.hot())) {
      const decision = hot.at(-1);
      if (decision === undefined) continue;
      const pinnedBy = decision.signal === 'pin' ? overrides.of(item)?.by : undefined;
      add({ ...decision, change: 'stays' }, pinnedBy ?? `rule ${decision.rule}`, hot, held);
    }
  }

  function add(
    change: ToldDecision['change'],
    by: string,
    hot: readonly Decision[] = decisions.hot().filter(({ item }) => item === change.item),
    held: number = decisions.heldCount(),
  ): void {
    outbox.add(
      toToldDecision({ change, node, now: now(), hot, by, override: overrides.of(change.item), held }),
    );
  }
}

function byItem(decisions: readonly Decision[]): Map<string, Decision[]> {
  const items = new Map<string, Decision[]>();
  for (const decision of decisions) {
    const known = items.get(decision.item);
    if (known === undefined) items.set(decision.item, [decision]);
    else known.push(decision);
  }
  return items;
}
