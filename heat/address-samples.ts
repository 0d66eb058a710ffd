import type { Keeper } from '../protect/keeper.ts';
import type { CountedViews } from './view-batches.ts';

/** Views of a batch whose item is looked at. */
const MOST_LOOKED = 32;

/**
 * Shows the keeper by which addresses shoppers ask for hot items: a few views of each batch are enough, and none while it knows all that it
 * wants.
 */
export function createAddressSamples(keeper: Keeper | undefined): { look(views: CountedViews): void } {
  let first = 0;
  return {
    look(views) {
      if (keeper === undefined || !keeper.wantsAny()) return;
      const step = Math.max(1, Math.floor(views.length / MOST_LOOKED));
      first = (first + 1) % step;
      for (let i = first; i < views.length; i += step) {
        const item = views.name(i);
        if (!keeper.isWanted(item)) continue;
        const address = views.address(i);
        if (address !== undefined) keeper.saw(item, address.host, address.target);
      }
    },
  };
}
