import { SURGE, type SurgeThresholds } from './surge.ts';

/*
 * What makes an item hot, and what is to be done about it then. It works without any rule; a rule changes some of it for the items that
 * it is for. An item's rule is resolved once, when the item begins to be tracked or when rules are replaced.
 */

/** What nginx, or the application behind it, is asked to do about a hot item. */
export const ACTIONS = ['announce', 'cache', 'isolate', 'limit'] as const;
export type Action = (typeof ACTIONS)[number];

type SignalRule = {
  /** How long an item stays at least, ms. */
  dwellMs: number;
  actions: readonly Action[];
};

export type BusyRule = SignalRule & {
  /** Views a second over ten seconds from which it is busy. */
  perSecond: number;
  /** Views a second over a minute below which it is not any more. */
  endsPerSecond: number;
};

export type SurgeRule = SignalRule &
  SurgeThresholds & {
    /** It ends below so many times the usual visitors, over a minute. */
    endsAt: number;
  };

export type ConcentratedRule = SignalRule & {
  /** Views a second over ten seconds below which nobody asks who they are by. */
  perSecond: number;
  /** Views by each visitor, on the average of ten seconds, above which it is concentrated. */
  viewsAVisitor: number;
};

/** All that applies to one item. */
export type ItemRule = {
  /** Of the last rule that is for this item; `default` where there is none. */
  name: string;
  busy: BusyRule;
  surge: SurgeRule;
  concentrated: ConcentratedRule;
  /** What would be done is said and not done. */
  dryRun: boolean;
  /** Why no signal makes the item hot; empty where one may. */
  barred: string;
};

export type Rules = {
  rulesFor(item: string): ItemRule;
  /** Items that are hot at once, for each signal. */
  cap: number;
};

/** Changes what applies to some items. What it does not name stays as the rules before it say. */
export type RuleOptions = {
  name: string;
  /** For the items that any of these describes, `*` standing for any characters. Without: for all. */
  items?: readonly string[];
  /** For the items of this category of the catalogue. */
  category?: string;
  busy?: Partial<BusyRule>;
  surge?: Partial<SurgeRule>;
  concentrated?: Partial<ConcentratedRule>;
  dryRun?: boolean;
  /** False: no signal makes it hot; a pin does. */
  mayBeHot?: boolean;
  /** Only what the catalogue has may be hot. */
  catalogueOnly?: boolean;
};

/** What the shop sells, where it is known. */
export type Catalogue = { has(item: string): boolean; categoryOf(item: string): string | undefined };

export const DEFAULT_CAP = 100;

export const DEFAULT_RULE: ItemRule = {
  name: 'default',
  // A cache of one second makes about one request a second of them.
  busy: { perSecond: 20, endsPerSecond: 5, dwellMs: 30_000, actions: ['announce', 'cache'] },
  surge: { ...SURGE, endsAt: 2, dwellMs: 60_000, actions: ['announce', 'cache'] },
  concentrated: { perSecond: 20, viewsAVisitor: 10, dwellMs: 30_000, actions: [] },
  dryRun: false,
  barred: '',
};

/** All rules that are for an item apply to it, the later ones over the earlier. */
export function compileRules(
  rules: readonly RuleOptions[] = [],
  { cap = DEFAULT_CAP, catalogue }: { cap?: number; catalogue?: Catalogue } = {},
): Rules {
  const compiled = rules.map((rule) => ({ rule, isFor: matcherOf(rule, catalogue) }));
  return {
    cap,
    rulesFor(item) {
      let found = DEFAULT_RULE;
      let mayBeHot = true;
      let catalogueOnly = false;
      for (const { rule, isFor } of compiled) {
        if (!isFor(item)) continue;
        mayBeHot = rule.mayBeHot ?? mayBeHot;
        catalogueOnly = rule.catalogueOnly ?? catalogueOnly;
        found = override(found, rule);
      }
      if (!mayBeHot) return { ...found, barred: `rule ${found.name}` };
      if (catalogueOnly && catalogue?.has(item) !== true) return { ...found, barred: 'not in the catalogue' };
      return found;
    },
  };
}

function override(found: ItemRule, { name, busy, surge, concentrated, dryRun }: RuleOptions): ItemRule {
  return {
    ...found,
    name,
    busy: { ...found.busy, ...busy },
    surge: { ...found.surge, ...surge },
    concentrated: { ...found.concentrated, ...concentrated },
    dryRun: dryRun ?? found.dryRun,
  };
}

function matcherOf({ items, category }: RuleOptions, catalogue?: Catalogue): (item: string) => boolean {
  const patterns = items?.map(toPattern);
  return (item) =>
    (patterns === undefined || patterns.some((matches) => matches(item))) &&
    (category === undefined || catalogue?.categoryOf(item) === category);
}

/** No regular expression: an item's name comes from anybody, and must not be able to make it slow. */
function toPattern(pattern: string): (item: string) => boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return (item) => item === pattern;
  return (item) => {
    if (item.length < first.length + last.length || !item.startsWith(first) || !item.endsWith(last))
      return false;
    const end = item.length - last.length;
    let from = first.length;
    for (const part of rest) {
      const at = item.indexOf(part, from);
      if (at === -1 || at + part.length > end) return false;
      from = at + part.length;
    }
    return true;
  };
}
