import type { Decision } from '../detect/decisions.ts';
import type { HotItem } from './hot-folder.ts';

/** The hot list for nginx: each item once, with the actions of all its signals. */
export function actedOn(decisions: readonly Decision[]): HotItem[] {
  const actions = new Map<string, Set<string>>();
  for (const decision of decisions) {
    // Skips decisions without an action, and those of a dry run.
    if (decision.dryRun || decision.actions.length === 0) continue;
    const known = actions.get(decision.item) ?? new Set();
    for (const action of decision.actions) known.add(action);
    actions.set(decision.item, known);
  }
  return [...actions].map(([item, all]) => ({ item, actions: [...all] }));
}

export function cached({ actions }: HotItem): boolean {
  return actions.includes('cache');
}

/** The same without the action cache. */
export function withoutCache(one: HotItem): HotItem {
  return cached(one) ? { ...one, actions: one.actions.filter((action) => action !== 'cache') } : one;
}
