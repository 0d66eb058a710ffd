import { SURGE, type SurgeThresholds } from './surge.ts';

/*
 * What makes an item hot, and which actions follow. No rule is required; a rule changes defaults for the items it matches. The rule of an
 * item is resolved when the item becomes tracked, and when rules are replaced.
 */

/** What nginx, or the application behind it, is asked to do about a hot item. */
export const ACTIONS = ['announce', 'cache', 'isolate', 'limit'] as const;
export type Action = (typeof ACTIONS)[number];

type SignalRule = {
  /** Minimum time that an item stays hot, ms. */
  dwellMs: number;
  actions: readonly Action[];
};

export type BusyRule = SignalRule & {
  /** An item enters at this many views per second over ten seconds. */
  perSecond: number;
  /** It leaves below this many views per second over a minute. */
  endsPerSecond: number;
};

export type SurgeRule = SignalRule &
  SurgeThresholds & {
    /** It leaves below this multiple of its baseline, over a minute. */
    endsAt: number;
  };

export type ConcentratedRule = SignalRule & {
  /** Below this many views per second over ten seconds, visitors are not examined. */
  perSecond: number;
  /** It enters above this many views per visitor, on average over ten seconds. */
  viewsAVisitor: number;
};

/** Everything that applies to one item. */
export type ItemRule = {
  /** Name of the last rule that matches this item; `default` if none does. */
  name: string;
  busy: BusyRule;
  surge: SurgeRule;
  concentrated: ConcentratedRule;
  /** Actions are reported but not taken. */
  dryRun: boolean;
  /** Why no signal may make the item hot; empty if one may. */
  barred: string;
};

export type Rules = {
  rulesFor(item: string): ItemRule;
  /** Maximum number of hot items per signal. */
  cap: number;
};

/** Changes what applies to some items. Settings that it does not name are inherited from the rules before it. */
export type RuleOptions = {
  name: string;
  /** Matches items by any of these patterns; `*` matches any characters. Absent: matches all. */
  items?: readonly string[];
  /** Matches items of a category of the catalogue that has this pattern. */
  category?: string;
  busy?: Partial<BusyRule>;
  surge?: Partial<SurgeRule>;
  concentrated?: Partial<ConcentratedRule>;
  dryRun?: boolean;
  /** False: no signal makes it hot; a pin still does. */
  mayBeHot?: boolean;
  /** Once a catalogue is loaded, only its items may be hot. */
  catalogueOnly?: boolean;
};

/** The catalogue of the shop. While there is none, no item has a category, and none is barred for want of it. */
export type Catalogue = { has(item: string): boolean; categoryOf(item: string): string | undefined };

const DEFAULT_CAP = 100;

export const DEFAULT_RULE: ItemRule = {
  name: 'default',
  // A cache of one second reduces them to about one request per second.
  busy: { perSecond: 20, endsPerSecond: 5, dwellMs: 30_000, actions: ['announce', 'cache'] },
  surge: { ...SURGE, endsAt: 2, dwellMs: 60_000, actions: ['announce', 'cache'] },
  concentrated: { perSecond: 20, viewsAVisitor: 10, dwellMs: 30_000, actions: [] },
  dryRun: false,
  barred: '',
};

/** All rules that match an item apply; later ones override earlier ones. */
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
      if (catalogueOnly && catalogue !== undefined && !catalogue.has(item))
        return { ...found, barred: 'not in the catalogue' };
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
  const isNamed = items === undefined ? undefined : namesOf(items);
  const isCategory = category === undefined ? undefined : toPattern(category);
  return (item) =>
    (isNamed === undefined || isNamed(item)) &&
    (isCategory === undefined || isOf(isCategory, catalogue?.categoryOf(item)));
}

/** A campaign may name thousands of items: only patterns are tried one by one. */
function namesOf(items: readonly string[]): (item: string) => boolean {
  const names = new Set(items.filter((item) => !item.includes('*')));
  const patterns = items.filter((item) => !names.has(item)).map(toPattern);
  return (item) => names.has(item) || patterns.some((matches) => matches(item));
}

function isOf(isCategory: (category: string) => boolean, category: string | undefined): boolean {
  return category !== undefined && isCategory(category);
}

/** Not a regular expression: anybody can choose an item's name, and must not be able to make matching slow. */
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
