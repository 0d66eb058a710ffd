import type { Change, Decision, Decisions } from '../detect/decisions.ts';
import type { HotDecision } from '../event/decision-fields.ts';
import type { Outbox } from './outbox.ts';
import type { Overrides } from './overrides.ts';
import { toToldDecision } from './told-decision.ts';

/** Adds decisions to the outbox. */
export type Teller = {
  /**
   * Called at the start: compares the hot items in `decisions` with those in `before`, and reports the ones that have left and those that
   * stay.
   */
  begin(before: readonly Decision[]): void;
  /** `by`: who decided. */
  tell(change: Change, by: string): void;
  /** Repeats once a day which items are hot, for a topic that forgets. */
  tick(now: number): void;
};

export type TellerOptions = {
  node: string;
  now: () => number;
  decisions: Pick<Decisions, 'hot' | 'held' | 'isHot' | 'version'>;
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
    tell: add,
    tick(time) {
      if (Math.abs(time - toldAllAt) < AGAIN_MS) return;
      toldAllAt = time;
      tellAll();
    },
  };

  /** One per item, with the signals by which it is hot. */
  function tellAll(): void {
    const items = new Map(decisions.hot().map((decision) => [decision.item, decision]));
    for (const decision of items.values()) {
      const pinnedBy = decision.signal === 'pin' ? overrides.of(decision.item)?.by : undefined;
      add({ ...decision, change: 'stays' }, pinnedBy ?? `rule ${decision.rule}`);
    }
  }

  function add(change: Omit<Change, 'change'> & { change: HotDecision['change'] }, by: string): void {
    outbox.add(
      toToldDecision({
        change,
        node,
        now: now(),
        hot: decisions.hot().filter(({ item }) => item === change.item),
        by,
        override: overrides.of(change.item),
        held: decisions.held().length,
      }),
    );
  }
}
