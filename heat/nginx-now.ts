import type { Decision } from '../detect/decisions.ts';
import type { KeptState } from '../protect/entry.ts';
import type { Keeper } from '../protect/keeper.ts';
import type { SeenRequests } from '../protect/shoppers.ts';
import type { Freeze } from './frozen-file.ts';
import { actedOn, cached } from './hot-items.ts';

/** What nginx does about a hot item where the includes of the actions are in place, and why not more. */
export type NginxNow = Pick<SeenRequests, 'limit' | 'ends'> & {
  actions: string[];
  /** Where the action cache is among those of its rules. */
  page?: KeptState;
  /** What it did with requests of shoppers since then, where it keeps the page. */
  shoppers?: SeenRequests['shoppers'];
  /** Sentences. */
  why: string[];
};

export type NginxNowParts = {
  /** All of one item. */
  hot: readonly Decision[];
  frozen: Freeze | undefined;
  /** Why nginx cannot see this item, or any. */
  problem: string | undefined;
  keeper: Keeper | undefined;
  /** What nginx logged of requests for it. */
  seen: SeenRequests;
};

/** Undefined for an item that is not hot. */
export function nginxNow({ hot, frozen, problem, keeper, seen }: NginxNowParts): NginxNow | undefined {
  const [first] = hot;
  if (first === undefined) return undefined;
  const nothing = (why: string): NginxNow => ({ actions: [], why: [why] });
  if (frozen !== undefined) return nothing('the hot list is frozen: hotitem hot thaw');
  if (problem !== undefined) return nothing(problem);
  const [acted] = actedOn(hot);
  if (acted === undefined)
    return nothing(hot.some(({ dryRun }) => dryRun) ? 'its rule is a dry run' : 'its rules name no action');
  const actions = [...acted.actions];
  const { shoppers, ...counted } = seen;
  if (!cached(acted)) return { actions, ...counted, why: [] };
  const others = actions.filter((action) => action !== 'cache');
  if (keeper === undefined)
    return { actions: others, ...counted, why: ['not cached: protect.hosts names no host of the shop'] };
  const page = keeper.stateOf(first.item);
  return {
    actions: page?.state === 'kept' ? actions : others,
    ...(page && { page }),
    ...(shoppers && { shoppers }),
    ...counted,
    why: [],
  };
}
