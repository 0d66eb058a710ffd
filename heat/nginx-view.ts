import type { Decision } from '../detect/decisions.ts';
import type { Keeper } from '../protect/keeper.ts';
import { NothingKept, type Purged } from '../protect/purge.ts';
import type { SeenRequests, Shoppers } from '../protect/shoppers.ts';
import type { FrozenFile } from './frozen-file.ts';
import type { HotFolder, HotItem } from './hot-folder.ts';
import { actedOn, cached, withoutCache } from './hot-items.ts';
import type { ShownDecision, WholeHotList } from './hot-list.ts';
import { whyNotActedOn } from './hot-name.ts';
import { type NginxNow, nginxNow } from './nginx-now.ts';

/*
 * What nginx sees of the hot items, and what it does about them: the folder that it reads, the pages that it keeps, and the requests that it
 * logs. While the list is frozen, nginx sees nothing.
 */

export type NginxView = {
  /** Shows nginx these, and nothing while the list is frozen. */
  show(hot: readonly Decision[]): void;
  /** The periodic work. */
  tick(): void;
  /** What nginx does about an item that is hot by this decision. */
  of(decision: Decision): Pick<ShownDecision, 'problem' | 'page' | 'limit' | 'ends'>;
  /** The same of all decisions about one item, with the reasons; undefined for an item that is not hot. */
  now(hot: readonly Decision[]): NginxNow | undefined;
  /** Why nginx does not see the list, and why it keeps no pages. Each is absent if it does. */
  failures(): Pick<WholeHotList, 'failure' | 'keeperFailure'>;
  /** Requests for hot items since the start. */
  seen(): SeenRequests;
  /** Has the pages of one item, or of all, fetched now. Rejects with a `NothingKept` if there are none. */
  purge(item: string | undefined): Promise<Purged[]>;
  /** Without a running sidecar, nginx sees no hot item. */
  close(): Promise<void>;
};

export type NginxViewParts = {
  folder: HotFolder;
  frozen: FrozenFile;
  keeper: Keeper | undefined;
  shoppers: Shoppers | undefined;
};

export function createNginxView({ folder, frozen, keeper, shoppers }: NginxViewParts): NginxView {
  /** Items that nginx cannot act on, with the reason. */
  let unseen = new Map<string, string>();
  return {
    show(hot) {
      if (frozen.state() === undefined) unseen = folder.update(listed(actedOn(hot)));
      else {
        folder.freeze();
        keeper?.follow([]);
        shoppers?.follow(new Set());
      }
    },
    tick() {
      folder.tick();
      keeper?.tick();
    },
    of({ item, actions }) {
      const problem = unseen.get(item);
      const page = actions.includes('cache') ? keeper?.stateOf(item) : undefined;
      const { limit, ends } = shoppers?.of(item) ?? {};
      return {
        ...(problem !== undefined && { problem }),
        ...(page !== undefined && { page }),
        ...(limit !== undefined && actions.includes('limit') && { limit }),
        ...(ends !== undefined && { ends }),
      };
    },
    now(hot) {
      const [first] = hot;
      if (first === undefined) return undefined;
      return nginxNow({
        hot,
        frozen: frozen.state(),
        problem: unseen.get(first.item) ?? folder.failure(),
        keeper,
        seen: shoppers?.of(first.item) ?? {},
      });
    },
    failures() {
      const [failure, keeperFailure] = [folder.failure(), keeper?.failure()];
      return {
        ...(failure !== undefined && { failure }),
        ...(keeperFailure !== undefined && { keeperFailure }),
      };
    },
    seen: () => shoppers?.total() ?? {},
    async purge(item) {
      if (keeper === undefined) throw new NothingKept('no page is kept: protect.hosts names no host');
      return keeper.purge(item);
    },
    async close() {
      await keeper?.close();
      folder.stop();
    },
  };

  /** What nginx sees: a page that is not kept must not be looked for in its cache. */
  function listed(hot: HotItem[]): HotItem[] {
    shoppers?.follow(new Set(hot.map(({ item }) => item)));
    if (keeper === undefined) return hot.map(withoutCache);
    const mayBeKept = hot.filter((one) => cached(one) && whyNotActedOn(one.item) === undefined);
    keeper.follow(mayBeKept.map(({ item }) => item));
    const items = hot.map((one) => (keeper.allows(one.item) ? one : withoutCache(one)));
    return [...keeper.words().map((item) => ({ item, actions: ['keeper'] })), ...items];
  }
}
