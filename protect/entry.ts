import { createUsual, type Usual } from './brake.ts';
import type { Place } from './targets.ts';

/** What is known of the page of a hot item. Times in ms since 1970. `address`: `https://shop.example/item/4711.html`. `reason`: in words for people. */
export type KeptState =
  | { state: 'waiting'; reason: string }
  | { state: 'refused'; reason: string; since: number; retryAt: number; address?: string }
  | { state: 'kept'; since: number; refreshedAt: number; address: string; reason?: string };

/** A hot item, as the keeper sees it. */
export type Entry = {
  item: string;
  state: KeptState;
  /** The address of the page that is kept, or was kept last. */
  place?: Place;
  /** The address `seen` of shoppers, and where the page is requested for it: see `kept-address.ts`. */
  named?: { seen: Place; place: Place };
  /** The address that was requested last. */
  asked?: Place;
  usual: Usual;
  dueAt: number;
  comparedAt: number;
  failures: number;
  /**
   * The work in progress. Resolves with the time at which the page that nginx now has was requested; with undefined if there is no new
   * page.
   */
  work?: Promise<number | undefined>;
};

export function createEntry(item: string): Entry {
  return {
    item,
    state: { state: 'waiting', reason: 'it is being asked for' },
    usual: createUsual(),
    dueAt: 0,
    comparedAt: 0,
    failures: 0,
  };
}

export function isKept({ state }: Entry): boolean {
  return state.state === 'kept';
}

/** Of the page that nginx shows, in ms; 0 if it shows none. */
export function ageOf({ state }: Entry, time: number): number {
  return state.state === 'kept' ? time - state.refreshedAt : 0;
}
