import type { Decision, Decisions } from '../detect/decisions.ts';
import type { Heat } from '../detect/heat.ts';
import type { CatalogueLookup } from '../event/catalogue-item.ts';
import type { SeenRequests } from '../protect/shoppers.ts';
import type { FrozenFile } from './frozen-file.ts';
import type { ExplainedItem, HotList, ShownDecision, Versions, WholeHotList } from './hot-list.ts';
import type { Happened, LiveSnapshot } from './live.ts';
import { liveSnapshot } from './live-state.ts';
import type { NginxView } from './nginx-view.ts';
import type { Overrides } from './overrides.ts';
import type { RulesWatch } from './rules-watch.ts';
import type { ShopRate } from './shop-rate.ts';

/** What programs and people are told about hot items. Reads only. */
export type HotAnswers = {
  list(): HotList;
  whole(): WholeHotList;
  /** What is hot now, for the page. Looks at all items that are tracked. */
  live(build: string): LiveSnapshot;
  explain(item: string): ExplainedItem;
  /** For `hotitem status`. */
  state(): HeatState;
};

/** A summary, with requests of shoppers for hot items since the start, where nginx logs them. */
export type HeatState = SeenRequests & {
  hot: number;
  held: number;
  frozen: boolean;
  /** Why nginx cannot see the hot list; absent if it can, or if the list is frozen. */
  failure?: string;
  /** Why nginx keeps no pages of hot items, of one host at least, where that is not meant. */
  keeperFailure?: string;
  rulesProblems: string[];
};

export type HotAnswersParts = {
  node: string;
  now: () => number;
  heat: Heat;
  decisions: Decisions;
  overrides: Overrides;
  frozen: FrozenFile;
  watch: RulesWatch;
  nginx: NginxView;
  versions: Versions;
  shop: ShopRate;
  /** The latest changes, the oldest first. */
  happened: () => Happened[];
  /** Maximum number of hot items per signal. */
  cap: () => number;
  lookUp: CatalogueLookup | undefined;
};

export function createHotAnswers(parts: HotAnswersParts): HotAnswers {
  const { node, now, heat, decisions, overrides, frozen, watch, nginx, versions, lookUp } = parts;
  return { list, whole, live, explain, state };

  function list(): HotList {
    return { version: versions.current(), node, now: now(), hot: decisions.hot().map(shown) };
  }

  function shown(decision: Decision): ShownDecision {
    const catalogue = lookUp?.(decision.item);
    return { ...decision, ...(catalogue !== undefined && { catalogue }), ...nginx.of(decision) };
  }

  function whole(): WholeHotList {
    const freeze = frozen.state();
    return {
      ...list(),
      ...(freeze !== undefined && { frozen: freeze }),
      ...nginx.failures(),
      held: decisions.held(),
      overrides: overrides.all(),
      rules: watch.state(),
    };
  }

  function live(build: string): LiveSnapshot {
    const list = whole();
    return liveSnapshot({
      list,
      build,
      figures: heat.figures(new Set(list.hot.map(({ item }) => item))),
      shop: parts.shop.lastTen(now()),
      cap: parts.cap(),
      happened: parts.happened(),
      lookUp,
    });
  }

  function explain(item: string): ExplainedItem {
    const override = overrides.of(item);
    const explained = heat.explain(item);
    const now = nginx.now(explained.hot);
    return {
      ...explained,
      ...(override !== undefined && { override }),
      ...(now !== undefined && { nginx: now }),
    };
  }

  function state(): HeatState {
    return {
      hot: new Set(decisions.hot().map(({ item }) => item)).size,
      held: decisions.heldCount(),
      frozen: frozen.state() !== undefined,
      ...nginx.failures(),
      ...nginx.seen(),
      rulesProblems: watch.state().problems,
    };
  }
}
