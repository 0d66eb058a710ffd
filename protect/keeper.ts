import { reasonOf } from '../service/log.ts';
import type { Metrics } from '../service/metrics.ts';
import { createBrake } from './brake.ts';
import { AT_ONCE, createBudget } from './budget.ts';
import { dueOf } from './due.ts';
import { ageOf, createEntry, type Entry, isKept, type KeptState } from './entry.ts';
import { type Ask, examine, fill, lookWhetherKept } from './examine.ts';
import { createFilled } from './filled.ts';
import { REFUSAL_KINDS, type Refusal } from './judge.ts';
import { KEEPER_LOCATION, keptAddress } from './kept-address.ts';
import type { PROTECT_METRICS } from './metrics.ts';
import { createOriginAsk } from './origin-ask.ts';
import { createOutcomes } from './outcome.ts';
import type { Page } from './page.ts';
import { NoAnswer, type PageRequests } from './page-request.ts';
import { createPurge, type Purged } from './purge.ts';
import { createReach } from './reach.ts';
import { createTargets, isSame, type Place } from './targets.ts';
import { createWords } from './words.ts';

/*
 * Keeps pages of hot items in nginx's cache: asks for one as several visitors, has nginx store it if all get the same, and again before it is too
 * old. Shoppers find a fresh page, and the origin gets a request a second however many come. A page that becomes unfit is dropped at once: its
 * file leaves the hot list, and nginx asks the origin for each shopper as before. An item has one address; by others, shoppers reach the origin.
 *
 * It must never be the flood itself. All its requests share one budget (budget.ts). First come pages that are kept and half as old as they may
 * be, then new ones unless some are late, then all others: so as many are kept as the budget can refresh in time. While the origin is slower than usual (brake.ts), pages are refreshed
 * as seldom as keeps them shown, and one new item is looked at at a time. They are not dropped then: each would give the origin all its shoppers.
 * How often a page is compared does not depend on it.
 */

export type Keeper = {
  /** These items are hot with the action cache, the most important first. */
  follow(items: readonly string[]): void;
  /** Whether nginx may show the item's page to everybody. */
  allows(item: string): boolean;
  /** Names in the hot list by which nginx knows the keeper. */
  words(): string[];
  /** Whether requests for any item are of interest, and whether those for one item are. */
  wantsAny(): boolean;
  isWanted(item: string): boolean;
  saw(item: string, host: string, target: string): void;
  /** What is known of a followed item. */
  stateOf(item: string): KeptState | undefined;
  /** Whether the page that nginx shows of an item is older than it should be. */
  isStale(item: string): boolean;
  /**
   * Asks for its page now, or for all that are kept, and resolves when nginx shows the new ones. For one item it rejects with `NothingKept`
   * if there is no new page.
   */
  purge(item: string | undefined): Promise<Purged[]>;
  /** Why pages are not kept, of one host at least. */
  failure(): string | undefined;
  /** Several times a second. */
  tick(): void;
  close(): Promise<void>;
};

export type KeeperOptions = {
  hosts: readonly string[];
  https: boolean;
  requests: PageRequests;
  /** Of the origin, over all items. */
  requestsPerSecond: number;
  /** Between two refreshes of a page. */
  refreshMs: number;
  /** How long nginx shows a page that is not refreshed. */
  staleMs: number;
  metrics: Metrics<typeof PROTECT_METRICS>;
  warn: (key: string, message: string, fields?: object) => void;
  now: () => number;
  /** Called when the results of `allows` or `words` have changed. */
  onChange: () => void;
};

/** As many as the hot list may have. */
export const MOST_ITEMS = 1_000;
/** So often a page that is kept is compared again. */
const COMPARE_EVERY_MS = 30_000;
/** A page is late that is so old, of what it may be; then for so long no further page is looked at. */
const LATE = 0.6;
const NO_NEW_MS = 5_000;
const NO_ROOM = 'other pages come first: protect.max_requests_per_second';
const FORMER = 'nginx still has the page at its former address, for protect.stale_seconds at most';

export function createKeeper(options: KeeperOptions): Keeper {
  const { hosts, https, requests, refreshMs, staleMs, metrics, warn, now, onChange } = options;
  const targets = createTargets(hosts);
  const entries = new Map<string, Entry>();
  const filled = createFilled({ staleMs, now });
  const words = createWords(now);
  const budget = createBudget({ requestsPerSecond: options.requestsPerSecond, now });
  const brake = createBrake(now);
  const askFor = createOriginAsk({ requests, budget, brake, word: words.latest, metrics, now });
  const outcomes = createOutcomes({ https, staleMs, intervalMs, targets, metrics, now });
  const reach = createReach({
    hosts,
    look: (host) => lookAt(host, KEEPER_LOCATION),
    now,
    onFailure: dropOf,
  });
  let isBraked = false;
  let lateAt = Number.NEGATIVE_INFINITY;
  let tickedAt = now();
  let isClosed = false;
  followMetrics();
  return {
    follow,
    allows: (item) => entries.get(item)?.state.state === 'kept',
    words: words.all,
    wantsAny: targets.wantsAny,
    isWanted: targets.isWanted,
    saw: targets.saw,
    stateOf,
    isStale,
    purge: createPurge({ entries, begin: beginPurge, isClosed: () => isClosed, whyWaiting, now }),
    failure: () => (entries.size === 0 ? undefined : failures()[0]),
    tick,
    async close() {
      isClosed = true;
      budget.close();
      requests.close();
      await Promise.all([...entries.values()].map(({ work }) => work));
    },
  };

  function followMetrics(): void {
    for (const state of ['waiting', 'kept', 'refused'] as const)
      metrics.of('protect_items', { state }).follow(() => inState(state).length);
    for (const reason of REFUSAL_KINDS) metrics.of('protect_refused_total', { reason });
    metrics.of('protect_reachable').follow(reachable);
    metrics.of('protect_slow_origin').follow(() => (isBraked ? 1 : 0));
    metrics
      .of('protect_oldest_seconds')
      .follow(() => Math.max(0, ...inState('kept').map((entry) => ageOf(entry, now()))) / 1_000);
  }

  function reachable(): number {
    if (entries.size === 0) return Number.NaN;
    return hosts.every(reach.isThere) && failures().length === 0 ? 1 : 0;
  }

  function failures(): string[] {
    return hosts.flatMap((host) => reach.failure(host) ?? []);
  }

  function inState(state: KeptState['state']): Entry[] {
    return [...entries.values()].filter((entry) => entry.state.state === state);
  }

  function isStale(item: string): boolean {
    const entry = entries.get(item);
    return entry !== undefined && isLate(entry);
  }

  function isLate(entry: Entry): boolean {
    return ageOf(entry, now()) > 2 * refreshMs;
  }

  function follow(items: readonly string[]): void {
    const wanted = new Set(items.slice(0, MOST_ITEMS));
    for (const item of entries.keys()) if (!wanted.has(item)) entries.delete(item);
    for (const item of wanted) {
      if (!entries.has(item)) entries.set(item, createEntry(item));
    }
    targets.follow(wanted);
    filled.retain(wanted);
    // Before the first request: heat puts them into the hot list with what it is about to publish.
    if (entries.size === 0) words.end();
    else words.begin();
  }

  function stateOf(item: string): KeptState | undefined {
    const entry = entries.get(item);
    if (entry === undefined) return undefined;
    const { state } = entry;
    if (state.state === 'waiting') return { state: 'waiting', reason: whyWaiting(entry) };
    if (state.state === 'kept' && isBraked && state.reason === undefined)
      return { ...state, reason: `the origin is slow: refreshed every ${intervalMs() / 1_000} s` };
    return state;
  }

  function whyWaiting(entry: Entry): string {
    const { item, work } = entry;
    if (work !== undefined) return 'it is being asked for';
    const seen = targets.of(item);
    if (seen === undefined) {
      return targets.wasSeen(item)
        ? 'no shopper came by a usable address of a host in protect.hosts'
        : 'no shopper has come since it is hot';
    }
    return reach.failure(seen.host) ?? (formerOf(entry, seen) === undefined ? NO_ROOM : FORMER);
  }

  function tick(): void {
    const time = now();
    const sinceTick = time - tickedAt;
    tickedAt = time;
    if (isClosed) return;
    isBraked = brake.isOn();
    budget.tick();
    if (entries.size === 0) return;
    if (sinceTick < 0) beginAgain(time);
    if (words.turn()) onChange();
    expire(sinceTick);
    reach.tick();
    beginDue(time);
  }

  /** The clock was set back: nothing must wait until it has caught up. */
  function beginAgain(time: number): void {
    for (const entry of entries.values()) {
      entry.dueAt = Math.min(entry.dueAt, time);
      entry.comparedAt = 0;
      const { state } = entry;
      if (state.state === 'kept') entry.state = { ...state, refreshedAt: Math.min(state.refreshedAt, time) };
    }
  }

  /** Counts pages that are late, and drops those that nginx does not show any more. */
  function expire(sinceTick: number): void {
    const passedMs = Math.min(1_000, Math.max(0, sinceTick));
    const wasSuspended = sinceTick > staleMs / 2;
    let isChanged = false;
    for (const entry of inState('kept')) {
      const age = ageOf(entry, now());
      if (isLate(entry)) metrics.of('protect_stale_seconds_total').add(passedMs / 1_000);
      if (age > LATE * staleMs && !wasSuspended) lateAt = now();
      if (age > staleMs && entry.work === undefined)
        isChanged = outcomes.expired(entry, wasSuspended) || isChanged;
    }
    if (isChanged) onChange();
  }

  function beginDue(time: number): void {
    const working = [...entries.values()].filter(({ work }) => work !== undefined);
    let busy = working.length;
    let looking = working.filter((entry) => !isKept(entry)).length;
    const mostLooking = isBraked ? 1 : AT_ONCE;
    // A new page takes five requests, so that those that are late would get later.
    const mayLook = Math.abs(time - lateAt) > NO_NEW_MS;
    for (const entry of dueOf(entries.values(), { time, staleMs, mayLook })) {
      if (busy >= AT_ONCE || !budget.hasRoom()) return;
      if (!isKept(entry) && looking >= mostLooking) continue;
      if (!begin(entry)) continue;
      busy++;
      if (!isKept(entry)) looking++;
    }
  }

  /** Where it is asked for, as far as that is known, if shoppers come by `seen`. */
  function placeOf({ named }: Entry, seen: Place): Place {
    return named !== undefined && isSame(named.seen, seen) ? named.place : seen;
  }

  /** Returns the work, undefined if its address is not known, nginx does not answer there, or still has the page at a former one. */
  function begin(entry: Entry): Entry['work'] {
    const seen = targets.of(entry.item);
    if (seen === undefined || !reach.isThere(seen.host)) return undefined;
    return !isKept(entry) && formerOf(entry, seen) !== undefined ? undefined : beginAt(entry, seen);
  }

  /** The same for a purge: a page that is not kept is asked for where nginx still has it. It may have been refused for the very change. */
  function beginPurge(entry: Entry): Entry['work'] {
    const seen = targets.of(entry.item);
    if (seen === undefined) return undefined;
    return beginAt(entry, (isKept(entry) ? undefined : formerOf(entry, seen)) ?? seen, true);
  }

  function formerOf(entry: Entry, seen: Place): Place | undefined {
    return filled.elsewhere(entry.item, placeOf(entry, seen));
  }

  function beginAt(entry: Entry, seen: Place, isPurge = false): Entry['work'] {
    if (!isWanted(entry)) return undefined;
    entry.asked = placeOf(entry, seen);
    entry.work = keep(entry, seen, isPurge)
      .catch((error: unknown) => unavailable(entry, error))
      .finally(() => {
        delete entry.work;
      });
    return entry.work;
  }

  /** An item that cools and is hot again has another entry. */
  function isWanted(entry: Entry): boolean {
    return !isClosed && entries.get(entry.item) === entry;
  }

  async function keep(entry: Entry, seen: Place, isPurge: boolean): Promise<number | undefined> {
    const began = now();
    const isDue = !isKept(entry) || began - entry.comparedAt >= COMPARE_EVERY_MS;
    const place = await findPlace(entry, seen, isDue);
    if (!isWanted(entry)) return undefined;
    if ('reason' in place) return refuse(entry, seen, place);
    entry.asked = place;
    // The page at another address is another page.
    const isFirst = !isKept(entry) || !isSame(entry.place, place);
    const compares = isFirst || isDue;
    const ask = askFor(entry.usual, () => isWanted(entry));
    const refused =
      (compares ? await examine(place, ask, began, isFirst) : undefined) ??
      (isPurge ? await fillOthers(entry, place, ask) : undefined) ??
      (await fillAt(entry, place, ask)) ??
      (compares ? await lookWhetherKept(place, ask) : undefined);
    reach.heard();
    if (!isWanted(entry)) return undefined;
    if (refused !== undefined) return refuse(entry, seen, refused);
    if (outcomes.kept(entry, place, { began, isFirst, compares })) onChange();
    return began;
  }

  function refuse(entry: Entry, seen: Place, refusal: Refusal): undefined {
    // It may have been reloaded without the includes: it would take further requests for a shopper's, and capture them.
    if (refusal.kind === 'not_stored') reach.doubt(seen.host);
    if (outcomes.refused(entry, seen, refusal)) onChange();
  }

  function unavailable(entry: Entry, error: unknown): undefined {
    const reason = reasonOf(error);
    if (error instanceof NoAnswer) reach.missed(reason);
    if (isWanted(entry) && outcomes.unavailable(entry, reason)) onChange();
  }

  /** What nginx still has at former addresses is shown as well: after a purge, nobody must see an old page there. Returns what `fill` does. */
  async function fillOthers(entry: Entry, place: Place, ask: Ask): Promise<Refusal | undefined> {
    for (const other of filled.others(entry.item, place)) {
      const refused = await fillAt(entry, other, ask);
      if (refused !== undefined) return refused;
    }
    return undefined;
  }

  function fillAt({ item }: Entry, place: Place, ask: Ask): Promise<Refusal | undefined> {
    return fill(place, ask, now()).finally(() => filled.note(item, place));
  }

  /** Where it is asked for, or why not. nginx is asked again when the page is compared: somebody may have edited tracking.conf. */
  async function findPlace(entry: Entry, seen: Place, isDue: boolean): Promise<Place | Refusal> {
    const { named } = entry;
    if (!isDue && named !== undefined && isSame(named.seen, seen)) return named.place;
    const place = await keptAddress(seen, async (host, target) => {
      const page = await lookAt(host, target);
      if (page === undefined) throw new Error('the item has cooled');
      return page;
    });
    if (!('reason' in place)) entry.named = { seen, place };
    return place;
  }

  /** At most half of what a page may be old: the rest is for a refresh that fails. */
  function intervalMs(): number {
    return isBraked ? staleMs / 2 : Math.min(refreshMs, staleMs / 2);
  }

  /** Asks nginx itself. Resolves with undefined where the answer says nothing, because nothing is followed, or was not in between. */
  async function lookAt(host: string, target: string): Promise<Page | undefined> {
    const word = words.latest();
    if (word === '') return undefined;
    const page = await requests.ask({ mode: 'look', host, target, word });
    return words.all().includes(word) ? page : undefined;
  }

  function dropOf(reason: string, failed: readonly string[]): void {
    if (isClosed || entries.size === 0) return;
    warn('keeper', 'pages of hot items are not kept: nginx cannot be asked for them', { reason });
    const dropped = inState('kept').filter(
      (entry) => failed.includes(entry.place?.host ?? '') && outcomes.dropped(entry, reason),
    );
    if (dropped.length > 0) onChange();
  }
}
