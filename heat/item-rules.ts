import type { RuleOptions } from '../detect/rules.ts';
import type { Rule, RulesFile } from './rules-schema.ts';

/** A threshold that no item reaches: switches a signal off. */
const NEVER = Number.POSITIVE_INFINITY;

/** All rules of the file. */
export function ruleOptionsOf({ rules }: RulesFile): RuleOptions[] {
  return rules.map((rule, index) => toRuleOptions(rule, index + 1));
}

/** Whether any rule depends on the catalogue. */
export function needCatalogue({ rules }: RulesFile): boolean {
  return rules.some(({ category, catalogue_only }) => category !== undefined || catalogue_only === true);
}

/** A rule of the file as detection takes it. `number`: its position in the file, from 1. */
function toRuleOptions(rule: Rule, number: number): RuleOptions {
  const {
    name = `rule ${number}`,
    items,
    category,
    catalogue_only: catalogueOnly,
    hot,
    dry_run: dryRun,
  } = rule;
  return {
    name,
    ...(items !== undefined && { items }),
    ...(category !== undefined && { category }),
    ...(catalogueOnly !== undefined && { catalogueOnly }),
    ...(hot !== undefined && { mayBeHot: hot }),
    ...(dryRun !== undefined && { dryRun }),
    ...(rule.busy !== undefined && { busy: busyOf(rule.busy) }),
    ...(rule.surge !== undefined && { surge: surgeOf(rule.surge) }),
    ...(rule.concentrated !== undefined && { concentrated: concentratedOf(rule.concentrated) }),
  };
}

function busyOf(busy: NonNullable<Rule['busy']>): NonNullable<RuleOptions['busy']> {
  if (busy === false) return { perSecond: NEVER };
  return given({
    perSecond: busy.enter_views_per_second,
    endsPerSecond: busy.leave_views_per_second,
    dwellMs: milliseconds(busy.dwell_seconds),
    actions: busy.actions,
  });
}

function surgeOf(surge: NonNullable<Rule['surge']>): NonNullable<RuleOptions['surge']> {
  if (surge === false) return { surprise: NEVER };
  const { surprise, visitors, share, ratio, leave_ratio: endsAt, actions } = surge;
  return given({
    surprise,
    visitors,
    share,
    ratio,
    endsAt,
    dwellMs: milliseconds(surge.dwell_seconds),
    actions,
  });
}

function concentratedOf(
  concentrated: NonNullable<Rule['concentrated']>,
): NonNullable<RuleOptions['concentrated']> {
  if (concentrated === false) return { perSecond: NEVER };
  return given({
    perSecond: concentrated.views_per_second,
    viewsAVisitor: concentrated.views_per_visitor,
    dwellMs: milliseconds(concentrated.dwell_seconds),
    actions: concentrated.actions,
  });
}

function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1_000;
}

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** An undefined value would override a default. */
function given<T extends object>(options: T): Given<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Given<T>;
}
