/*
 * What can be done, in words: what it is, what it costs, and what became of it.
 */

/** Pins and bans end by themselves after so long. */
export const LASTS_MS = 3_600_000;

export type ItemAction = 'pin' | 'ban' | 'purge' | 'clear';
export type ActionName = ItemAction | 'freeze' | 'thaw';

type Words = {
  path: string;
  name: string;
  about: string;
  /** The sentence above Yes and No. `rate`: views a second of the item now, in words. */
  costs: (item: string, rate: string | undefined) => string;
  yes: string;
  /** `age`: of the page that a purge fetched, in words. */
  done: (item: string, age?: string) => string;
};

export const ACTIONS: Record<ActionName, Words> = {
  pin: {
    path: '/api/v1/hot/pin',
    name: 'Pin',
    about: 'Hot for one hour, whatever its rate.',
    costs: (item) =>
      `You pin “${item}” as hot for one hour. nginx shares its page if that is safe. It ends by itself.`,
    yes: 'Yes, pin it',
    done: (item) => `${item} is pinned for one hour.`,
  },
  ban: {
    path: '/api/v1/hot/ban',
    name: 'Ban',
    about: 'Not hot for one hour, and so not cached. A ban overrides a pin.',
    costs: (item, rate) =>
      `You ban “${item}” from the hot list for one hour. All its views${rate === undefined ? '' : `, now ${rate},`} reach the origin. Shoppers still see the page.`,
    yes: 'Yes, ban it',
    done: (item) => `${item} is banned from the hot list for one hour.`,
  },
  purge: {
    path: '/api/v1/purge',
    name: 'Purge',
    about: 'The kept page is fetched again now, after a change of price or stock.',
    costs: (item) =>
      `The page of “${item}” is fetched from the origin again, now. Shoppers see the new page within a second or two.`,
    yes: 'Yes, fetch it again',
    done: (item, age) =>
      `The page of ${item} was fetched again${age === undefined ? '' : `, ${age} ago`}: shoppers see the new one.`,
  },
  clear: {
    path: '/api/v1/hot/clear',
    name: 'Clear',
    about: 'Removes its pin or ban; what is measured decides again.',
    costs: (item) => `You remove the pin or ban of “${item}”. What is measured decides again.`,
    yes: 'Yes, remove it',
    done: (item) => `The pin or ban of ${item} is removed.`,
  },
  freeze: {
    path: '/api/v1/hot/freeze',
    name: 'Freeze everything',
    about: 'For when hotitem itself is in doubt. One item is better banned.',
    costs: () =>
      'You freeze everything. nginx acts on no hot item any more: all views reach the origin. This page goes on counting. It lasts until somebody thaws it, also over a restart.',
    yes: 'Yes, freeze everything',
    done: () => 'Everything is frozen.',
  },
  thaw: {
    path: '/api/v1/hot/thaw',
    name: 'Thaw',
    about: 'nginx sees hot items again.',
    costs: () => 'You thaw the hot list. nginx sees hot items again, and acts on them as configured.',
    yes: 'Yes, thaw it',
    done: () => 'Thawed: nginx sees hot items.',
  },
};

export const ITEM_ACTIONS: readonly ItemAction[] = ['pin', 'ban', 'purge', 'clear'];
