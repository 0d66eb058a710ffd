import { randomBytes } from 'node:crypto';
import { reasonOf } from '../service/log.ts';
import type { Metrics } from '../service/metrics.ts';
import { type Ask, examine, fill, lookWhetherKept, type Place } from './examine.ts';
import type { PROTECT_METRICS } from './metrics.ts';
import type { PageRequests } from './page-request.ts';
import { createTargets } from './targets.ts';

/*
 * Keeps pages of hot items in nginx's cache: asks for one as several visitors, has nginx store it if all get the same, and again before it is too
 * old. Shoppers find a fresh page, and the origin gets a request a second however many come. A page that becomes unfit is dropped at once: its
 * file leaves the hot list, and nginx asks the origin for each shopper as before.
 *
 * It must never be the flood itself: so many items, so many requests at once, so many bytes and so long for each.
 */

export type Keeper = {
  /** These items are hot with the action cache. The first of them get a place. */
  follow(items: readonly string[]): void;
  /** Whether nginx may show the item's page to everybody. */
  allows(item: string): boolean;
  /** Names in the hot list by which nginx knows the keeper. */
  words(): string[];
  /** Whether requests for the item are of interest, and one of them. */
  wantsAny(): boolean;
  isWanted(item: string): boolean;
  saw(item: string, target: string): void;
  /** What is known of a followed item. */
  stateOf(item: string): KeptState | undefined;
  /** Has its page asked for now, or all that are kept. Resolves when nginx shows the new ones. Rejects where it does not. */
  purge(item: string | undefined): Promise<void>;
  /** Why nothing is kept at all, where that is so. */
  failure(): string | undefined;
  /** Several times a second. */
  tick(): void;
  close(): Promise<void>;
};

/** `since`, `refreshedAt`: ms since 1970. */
export type KeptState =
  | { state: 'waiting'; reason: string }
  | { state: 'refused'; reason: string; since: number }
  | { state: 'kept'; since: number; refreshedAt: number; reason?: string };

export type KeeperOptions = {
  hosts: readonly string[];
  requests: PageRequests;
  /** Between two refreshes of a page. */
  refreshMs: number;
  /** So long nginx shows a page that is not refreshed. */
  staleMs: number;
  metrics: Metrics<typeof PROTECT_METRICS>;
  warn: (key: string, message: string, fields?: object) => void;
  now: () => number;
  /** What `allows` or `words` say is different. */
  onChange: () => void;
};

/** What is to be asked for anew is not kept. */
export class NothingKept extends Error {
  override name = 'NothingKept';
}

/** Items with a place: with a refresh a second and one host, as many requests a second. */
export const MOST_ITEMS = 100;
/** Items that are worked on at once, each by one request at a time. */
const AT_ONCE = 4;
/** So often a page that is kept is compared again. */
const COMPARE_EVERY_MS = 30_000;
const WORD_EVERY_MS = 60_000;
/** What was refused, or could not be had, is tried again after so long, and after twice as long each time. */
const FIRST_WAIT_MS = 10_000;
const LONGEST_WAIT_MS = 600_000;
const FIRST_RETRY_MS = 250;

type Entry = {
  item: string;
  state: KeptState;
  dueAt: number;
  comparedAt: number;
  failures: number;
  /** The work that is under way. */
  work?: Promise<void>;
};

export function createKeeper(options: KeeperOptions): Keeper {
  const { hosts, requests, refreshMs, staleMs, metrics, warn, now, onChange } = options;
  const targets = createTargets();
  const entries = new Map<string, Entry>();
  /** The latest first; the one before it is still known for requests under way. */
  let words: { word: string; madeAt: number }[] = [];
  let failure: string | undefined;
  let [reachedAt, reachAt, reachFailures] = [Number.NEGATIVE_INFINITY, 0, 0];
  let isReaching = false;
  let isClosed = false;
  for (const state of ['waiting', 'kept', 'refused'] as const)
    metrics.of('protect_items', { state }).follow(() => count(state));
  metrics.of('protect_reachable').follow(() => (failure === undefined && reachedAt > 0 ? 1 : 0));
  return {
    follow,
    allows: (item) => entries.get(item)?.state.state === 'kept',
    words: () => words.map(({ word }) => word),
    wantsAny: targets.wantsAny,
    isWanted: targets.isWanted,
    saw: targets.saw,
    stateOf: (item) => entries.get(item)?.state,
    purge,
    failure: () => failure,
    tick,
    async close() {
      isClosed = true;
      requests.close();
      await Promise.all([...entries.values()].map(({ work }) => work));
    },
  };

  function count(state: KeptState['state']): number {
    return inState(state).length;
  }

  function inState(state: KeptState['state']): Entry[] {
    return [...entries.values()].filter((entry) => entry.state.state === state);
  }

  function follow(items: readonly string[]): void {
    const wanted = new Set(items);
    for (const item of entries.keys()) if (!wanted.has(item)) entries.delete(item);
    for (const item of items) {
      if (entries.has(item) || entries.size >= MOST_ITEMS) continue;
      entries.set(item, {
        item,
        state: { state: 'waiting', reason: 'it is being asked for' },
        dueAt: 0,
        comparedAt: 0,
        failures: 0,
      });
    }
    targets.follow(new Set(entries.keys()));
    // Before the first request: heat puts them into the hot list with what it is about to publish.
    if (entries.size === 0) words = [];
    else if (words.length === 0) words = [newWord()];
  }

  function newWord(): { word: string; madeAt: number } {
    return { word: randomBytes(32).toString('hex'), madeAt: now() };
  }

  function tick(): void {
    if (isClosed || entries.size === 0) return;
    const time = now();
    turnWords(time);
    if (!isReached(time)) return;
    let busy = [...entries.values()].filter(({ work }) => work !== undefined).length;
    for (const entry of entries.values()) {
      if (busy >= AT_ONCE) return;
      if (entry.work !== undefined || entry.dueAt > time) continue;
      const target = targets.of(entry.item);
      if (target === undefined) continue;
      begin(entry, target);
      busy++;
    }
  }

  function turnWords(time: number): void {
    const [latest] = words;
    if (latest === undefined || time - latest.madeAt < WORD_EVERY_MS) return;
    words = [newWord(), latest];
    onChange();
  }

  /** Whether nginx answers on the keeper's listener, as far as it was tried lately. */
  function isReached(time: number): boolean {
    const known = failure === undefined && time - reachedAt < COMPARE_EVERY_MS;
    if (!known && !isReaching && time >= reachAt) void reach();
    return failure === undefined && reachedAt > 0;
  }

  async function reach(): Promise<void> {
    isReaching = true;
    try {
      for (const host of hosts) await reachHost(host);
      failure = undefined;
      reachedAt = now();
      reachFailures = 0;
    } catch (error) {
      failure = reasonOf(error);
      reachAt = now() + Math.min(30_000, 1_000 * 2 ** reachFailures++);
      warn('keeper', 'no page of a hot item is kept: nginx cannot be asked for one', { reason: failure });
      const reason = failure;
      const dropped = [...entries.values()].filter((entry) => fall(entry, reason));
      if (dropped.length > 0) onChange();
    } finally {
      isReaching = false;
    }
  }

  async function reachHost(host: string): Promise<void> {
    const { status } = await requests.ask({ mode: 'look', host, target: '/_hotitem/keeper', word: word() });
    if (status === 200) return;
    throw new Error(
      status === 404
        ? `the server of ${host} does not know the keeper: server-protect.conf is missing there, or nginx reads another hot list`
        : `the server of ${host} answers ${status}, not 200`,
    );
  }

  function begin(entry: Entry, target: string): void {
    entry.work = keep(entry, target)
      .catch((error: unknown) => unavailable(entry, reasonOf(error)))
      .finally(() => {
        delete entry.work;
      });
  }

  async function keep(entry: Entry, target: string): Promise<void> {
    const began = now();
    const isFirst = entry.state.state !== 'kept';
    const compares = isFirst || began - entry.comparedAt >= COMPARE_EVERY_MS;
    for (const host of hosts) {
      const refused = await keepAt({ host, target }, isFirst, compares);
      if (refused === undefined) continue;
      refuse(entry, refused);
      return;
    }
    if (entries.get(entry.item) !== entry || isClosed) return;
    const time = now();
    if (compares) entry.comparedAt = time;
    entry.failures = 0;
    entry.dueAt = began + refreshMs;
    const since = entry.state.state === 'kept' ? entry.state.since : time;
    entry.state = { state: 'kept', since, refreshedAt: time };
    metrics.of('protect_refresh_seconds').set((time - began) / 1_000);
    if (isFirst) onChange();
  }

  async function keepAt(place: Place, isFirst: boolean, compares: boolean): Promise<string | undefined> {
    const refused = compares ? await examine(place, ask, now(), isFirst) : undefined;
    if (refused !== undefined) return refused;
    return (await fill(place, ask, now())) ?? (compares ? await lookWhetherKept(place, ask) : undefined);
  }

  function refuse(entry: Entry, reason: string): void {
    metrics.of('protect_refused_total').add();
    giveUp(entry, reason);
  }

  /** Until it is tried again. */
  function giveUp(entry: Entry, reason: string): void {
    const isDropped = fall(entry, reason);
    entry.dueAt = now() + Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(10, entry.failures++));
    if (isDropped) onChange();
  }

  /** Shoppers see the page while nginx has it. */
  function unavailable(entry: Entry, reason: string): void {
    if (isClosed) return;
    metrics.of('protect_failures_total').add();
    const { state } = entry;
    if (state.state === 'kept' && now() - state.refreshedAt < staleMs) {
      entry.state = { ...state, reason };
      entry.dueAt = now() + Math.min(refreshMs, FIRST_RETRY_MS * 2 ** entry.failures++);
      return;
    }
    giveUp(entry, state.state === 'kept' ? `cannot be refreshed: ${reason}` : reason);
  }

  /** Returns whether nginx has to be told that the page is not kept any more. */
  function fall(entry: Entry, reason: string): boolean {
    const wasKept = entry.state.state === 'kept';
    entry.state = { state: 'refused', reason, since: now() };
    if (!wasKept) return false;
    // Failures to refresh it do not count for how long it waits now.
    entry.failures = 0;
    if (entries.get(entry.item) !== entry) return false;
    metrics.of('protect_dropped_total').add();
    return true;
  }

  async function purge(item: string | undefined): Promise<void> {
    const rest = (item === undefined ? inState('kept').map((entry) => entry.item) : [item]).values();
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (const one of rest) await purgeItem(one);
      }),
    );
  }

  async function purgeItem(item: string): Promise<void> {
    const entry = entries.get(item);
    const target = targets.of(item);
    if (entry === undefined || target === undefined) throw new NothingKept(`no page of ${item} is kept`);
    // One that is under way may have been asked for before the change.
    while (entry.work !== undefined) await entry.work;
    begin(entry, target);
    await entry.work;
    if (entry.state.state !== 'kept')
      throw new NothingKept(`the page of ${item} is not kept: ${entry.state.reason}`);
    if (entry.state.reason !== undefined) throw new NothingKept(`the page of ${item}: ${entry.state.reason}`);
  }

  function ask(asked: Parameters<Ask>[0]): ReturnType<Ask> {
    metrics.of('protect_requests_total', { kind: asked.mode }).add();
    return requests.ask({ ...asked, word: word() });
  }

  function word(): string {
    return words[0]?.word ?? '';
  }
}
