import { isRecent } from '../service/is-recent.ts';
import { reasonOf } from '../service/log.ts';
import { listHotFiles, makeHotFile, Occupied, removeHotFile, removeHotPeriod } from './hot-files.ts';
import { hotFileName, whyNotActedOn } from './hot-name.ts';
import { type HotRoot, openHotRoot } from './hot-root.ts';

/*
 * The hot list as nginx sees it: `DIR/PERIOD/ACTION/i.ITEM`, an empty file for each action on an item. nginx only checks whether the file
 * exists; nothing is polled, reloaded or acknowledged.
 *
 * The clock limits how long a file is valid. PERIOD is a span of ten seconds, which the sidecar and nginx derive from the clock. The
 * sidecar keeps files for the current period and the next; the previous one stays for workers whose clock is slightly late. If the sidecar
 * dies, nginx sees nothing after twenty seconds at most. A period is created from the items that are hot then, never from existing files.
 *
 * Each call computes the difference between the files that should exist and those that do, and applies it. An update, a new period, the
 * start after a kill, and the repair of removed files (at the next period) are the same operation. Removals come first and are always
 * attempted. Everything is synchronous: on a tmpfs a file takes microseconds, and exists before the batch that decided is finished.
 *
 * The folder belongs to the sidecar alone (hot-root.ts). Foreign files in it are neither followed nor removed.
 */

export type HotItem = { item: string; actions: readonly string[] };

export type HotFolder = {
  /** Sets the hot items. Returns those that nginx cannot act on, with the reason; they are hot all the same. Never throws. */
  update(hot: Iterable<HotItem>): Map<string, string>;
  /** Removes all files, until the next update. */
  freeze(): void;
  /** Begins and ends periods, and repairs; called several times a second. Never throws. */
  tick(): void;
  /** Why nginx cannot see the hot list; undefined while it can. */
  failure(): string | undefined;
  stats(): HotFolderStats;
  /** Removes everything. */
  stop(): void;
};

export type HotFolderStats = {
  /** Files of the current period. */
  files: number;
  /** Time since all files were as they should be. */
  ageMs: number;
  /** Failed attempts to create or remove files. */
  faults: number;
  /** Foreign files found in the folder. */
  odd: number;
};

export type HotFolderOptions = {
  dir: string;
  /** Group of nginx's workers, if it differs from that of this process. */
  gid?: number | undefined;
  now: () => number;
  warn: (key: string, message: string, fields?: object) => void;
  /** Maximum number of items. */
  most?: number;
};

/** Every hot item has this action, in addition to others. */
export const HOT = 'hot';

const PERIOD_MS = 10_000;
const MOST_ITEMS = 1_000;
/** Files of the next period created per tick; there are ten seconds to create them. */
const AHEAD_AT_ONCE = 100;
/** Stops after this many failures: on a read-only file system every attempt fails. */
const MOST_ERRORS = 8;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;

/** Another sidecar in the folder shows every ten seconds, when a period begins. */
const RIVAL_MS = 30_000;
const RIVAL =
  'heat.dir: another process creates and removes files in it: each sidecar needs a folder of its own';

/** Touches the disk only from the first `update` or `tick` on. */
export function createHotFolder(options: HotFolderOptions): HotFolder {
  const { dir, gid, now, warn, most = MOST_ITEMS } = options;
  let root: HotRoot | undefined;
  /** `hot/i.4711` */
  let wanted: ReadonlySet<string> = new Set();
  /** The files of each period, as far as we know. */
  const periods = new Map<number, Set<string>>();
  let current: number | undefined;
  let broughtAt = now();
  let failure: string | undefined;
  let [failures, retryAt] = [0, 0];
  let [faults, odd] = [0, 0];
  let rivalAt = Number.NEGATIVE_INFINITY;
  return { update, freeze, tick: bring, failure: () => failure, stats, stop };

  function update(hot: Iterable<HotItem>): Map<string, string> {
    const { files, refused } = filesOf(hot, most);
    wanted = files;
    bring();
    return refused;
  }

  function freeze(): void {
    wanted = new Set();
    bring();
  }

  function stop(): void {
    freeze();
    const held = root;
    if (held === undefined) return;
    try {
      for (const period of periods.keys()) drop(held, period);
    } catch (error) {
      fail(error);
    }
    held.close();
    root = undefined;
  }

  function stats(): HotFolderStats {
    const time = now();
    const ageMs = Math.max(0, time - broughtAt);
    return { files: periods.get(periodOf(time))?.size ?? 0, ageMs, faults, odd };
  }

  function bring(): void {
    const time = now();
    // In the future, because the clock was set back: the list would not age until the clock is there again…
    broughtAt = Math.min(broughtAt, time);
    // …and `retryAt` could be hours away.
    const waits = time < retryAt && retryAt - time <= LONGEST_WAIT_MS;
    try {
      const held = root?.isThere() ? root : waits ? undefined : openRoot();
      if (held === undefined) return;
      const period = periodOf(time);
      // Files that were created ahead may have been removed since.
      if (period !== current && periods.has(period)) lookAgain(held, period, time);
      current = period;
      // Periods that are over, too: on a full disk, they may be what fills it.
      const [unremoved] = [...periods.keys()].flatMap((at) =>
        Math.abs(at - period) > 1 ? dropOver(held, at) : removeUnwanted(held, at),
      );
      if (unremoved !== undefined) fail(unremoved);
      if (waits) return;
      makeMissing(held, period, Number.POSITIVE_INFINITY);
      makeMissing(held, period + 1, AHEAD_AT_ONCE);
      failures = 0;
      if (unremoved !== undefined) return;
      // Each removes the files of the other.
      failure = isRecent(rivalAt, time, RIVAL_MS) ? RIVAL : undefined;
      if (failure !== undefined) return;
      broughtAt = time;
    } catch (error) {
      retryAt = time + Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** failures++);
      fail(error);
    }
  }

  function fail(error: unknown): void {
    faults++;
    failure = root === undefined ? reasonOf(error) : reasonOf(error).replaceAll(root.path, dir);
    warn('hot list', 'cannot write the hot list: nginx does not see hot items', { reason: failure });
  }

  function openRoot(): HotRoot {
    root?.close();
    root = undefined;
    periods.clear();
    root = openHotRoot(dir, gid);
    // From a process that was killed.
    for (const period of root.periods) look(root, period);
    return root;
  }

  function look({ path }: HotRoot, period: number): void {
    const { files, others } = listHotFiles(path, period);
    periods.set(period, files);
    for (const other of others) leave(period, other);
  }

  /** Files that this process has not created are of another sidecar: those of an earlier one were found when the folder was opened. */
  function lookAgain(held: HotRoot, period: number, time: number): void {
    const created = periods.get(period);
    look(held, period);
    if (![...(periods.get(period) ?? [])].some((file) => !created?.has(file))) return;
    rivalAt = time;
    warn('hot list rival', 'another process writes the hot list, too', { dir, reason: RIVAL });
  }

  /** Returns why some of them cannot be removed; the others are. */
  function removeUnwanted({ path }: HotRoot, period: number): unknown[] {
    const there = periods.get(period) ?? new Set();
    const errors: unknown[] = [];
    for (const file of there) {
      if (wanted.has(file) || errors.length === MOST_ERRORS) continue;
      try {
        if (!removeHotFile(path, period, file)) leave(period, file);
        there.delete(file);
      } catch (error) {
        errors.push(error);
      }
    }
    return errors;
  }

  /** A foreign file does not prevent the others from being created. */
  function makeMissing(held: HotRoot, period: number, most: number): void {
    const there = periods.get(period) ?? new Set();
    const missing = [...wanted].filter((file) => !there.has(file)).slice(0, most);
    if (missing.length > 0) periods.set(period, there);
    let occupied: Occupied | undefined;
    let like: string | undefined;
    for (const file of missing) {
      try {
        makeHotFile(held, { period, file, like });
        there.add(file);
        like ??= file;
      } catch (error) {
        if (!(error instanceof Occupied)) throw error;
        occupied = error;
      }
    }
    if (occupied !== undefined) throw occupied;
  }

  /** Returns why it cannot be removed, if so. */
  function dropOver(held: HotRoot, period: number): unknown[] {
    try {
      drop(held, period);
      return [];
    } catch (error) {
      return [error];
    }
  }

  function drop({ path }: HotRoot, period: number): void {
    for (const file of periods.get(period) ?? []) {
      if (!removeHotFile(path, period, file)) leave(period, file);
    }
    if (!removeHotPeriod(path, period)) leave(period, '');
    periods.delete(period);
  }

  function leave(period: number, name: string): void {
    odd++;
    warn('hot list odd', 'a foreign file in the folder of the hot list is left alone', {
      path: `${dir}/${period}/${name}`,
    });
  }
}

type Files = { files: Set<string>; refused: Map<string, string> };

function filesOf(hot: Iterable<HotItem>, most: number): Files {
  const files = new Set<string>();
  const refused = new Map<string, string>();
  let items = 0;
  for (const { item, actions } of hot) {
    const why =
      whyNotActedOn(item) ??
      (items === most ? `cannot be acted on: the hot list holds ${most} items already` : undefined);
    if (why !== undefined) {
      refused.set(item, why);
      continue;
    }
    items++;
    for (const action of [HOT, ...actions]) files.add(`${action}/${hotFileName(item)}`);
  }
  return { files, refused };
}

/** As the map of `$msec` in nginx/http-hot.conf does: whole seconds without the last digit. */
export function periodOf(time: number): number {
  return Math.floor(time / PERIOD_MS);
}
