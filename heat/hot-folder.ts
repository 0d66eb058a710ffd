import { reasonOf } from '../service/log.ts';
import { listHotFiles, makeHotFile, Occupied, removeHotFile, removeHotPeriod } from './hot-files.ts';
import { hotFileName, whyNotActedOn } from './hot-name.ts';
import { type HotRoot, openHotRoot } from './hot-root.ts';

/*
 * The hot list as nginx sees it: `DIR/PERIOD/ACTION/i.ITEM`, an empty file for each action on an item. A file that is there is all
 * that nginx asks for: nothing is polled, reloaded or acknowledged.
 *
 * A lease by the clock. PERIOD is a span of ten seconds, as both read it from the clock. There are files for this one, and for the next; the
 * one before stays for workers whose clock is a little late. A sidecar that dies leaves nothing that nginx looks at for longer than
 * twenty seconds. A period is always made of what is hot then, never from what lies there.
 *
 * Each call compares what is to be there with what is, and does the difference: an update, the turn of a period, the start behind a
 * process that was killed, and the repair of what somebody removed, seen when a period begins, are the same. Removal comes first and is
 * always tried. Everything is synchronous: a file costs microseconds on a tmpfs, and is there before the batch that decided is over.
 *
 * The folder is ours alone (hot-root.ts). What is not ours in it is neither followed nor removed.
 */

export type HotItem = { item: string; actions: readonly string[] };

export type HotFolder = {
  /** Makes these the hot items. Returns those that nginx cannot act on, and why; they are hot all the same. Never throws. */
  update(hot: Iterable<HotItem>): Map<string, string>;
  /** Nothing is hot, from now on until the next update. */
  freeze(): void;
  /** Turns the periods and repairs: several times a second. Never throws. */
  tick(): void;
  /** Why nginx does not see what is hot; undefined while it does. */
  failure(): string | undefined;
  stats(): HotFolderStats;
  /** Removes all that is in it. */
  stop(): void;
};

export type HotFolderStats = {
  /** That nginx looks at now. */
  files: number;
  /** Times that they could not be made or removed. */
  faults: number;
  /** What was found in the folder that is not ours. */
  odd: number;
};

export type HotFolderOptions = {
  dir: string;
  /** Of the workers, where it is not our own. */
  gid?: number | undefined;
  now: () => number;
  warn: (key: string, message: string, fields?: object) => void;
  /** Items at once. */
  most?: number;
};

/** The action that every hot item has, whatever else is to be done about it. */
export const HOT = 'hot';

const PERIOD_MS = 10_000;
const MOST_ITEMS = 1_000;
/** Of the next period, which has ten seconds of time. */
const AHEAD_AT_ONCE = 100;
/** As many fail at once on a file system that became read-only: then all do. */
const MOST_ERRORS = 8;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;

/** Touches nothing before the first `update` or `tick`. */
export function createHotFolder(options: HotFolderOptions): HotFolder {
  const { dir, gid, now, warn, most = MOST_ITEMS } = options;
  let root: HotRoot | undefined;
  /** `hot/i.4711` */
  let wanted: ReadonlySet<string> = new Set();
  /** What is there of each, as far as we know. */
  const periods = new Map<number, Set<string>>();
  let current: number | undefined;
  let failure: string | undefined;
  let [failures, retryAt] = [0, 0];
  let [faults, odd] = [0, 0];
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
    return { files: periods.get(periodOf(now()))?.size ?? 0, faults, odd };
  }

  function bring(): void {
    const time = now();
    // The clock may have been set back meanwhile.
    const waits = time < retryAt && retryAt - time <= LONGEST_WAIT_MS;
    try {
      const held = root?.isThere() ? root : waits ? undefined : openRoot();
      if (held === undefined) return;
      const period = periodOf(time);
      // Somebody may have removed what was made ahead.
      if (period !== current && periods.has(period)) look(held, period);
      current = period;
      const [unremoved] = [...periods.keys()].flatMap((at) => removeUnwanted(held, at));
      if (unremoved !== undefined) fail(unremoved);
      if (waits) return;
      makeMissing(held, period, Number.POSITIVE_INFINITY);
      makeMissing(held, period + 1, AHEAD_AT_ONCE);
      for (const at of periods.keys()) if (Math.abs(at - period) > 1) drop(held, at);
      failures = 0;
      if (unremoved === undefined) failure = undefined;
    } catch (error) {
      retryAt = time + Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** failures++);
      fail(error);
    }
  }

  function fail(error: unknown): void {
    faults++;
    failure = root === undefined ? reasonOf(error) : reasonOf(error).replaceAll(root.path, dir);
    warn('hot list', 'the hot list cannot be written: nginx does not see what is hot', { reason: failure });
  }

  function openRoot(): HotRoot {
    root?.close();
    root = undefined;
    periods.clear();
    root = openHotRoot(dir, gid);
    // Behind a process that was killed.
    for (const period of root.periods) look(root, period);
    return root;
  }

  function look({ path }: HotRoot, period: number): void {
    const { files, others } = listHotFiles(path, period);
    periods.set(period, files);
    for (const other of others) leave(period, other);
  }

  /** Returns why some of them cannot be removed: the others are. */
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

  /** What is occupied does not keep the others from being made. */
  function makeMissing(held: HotRoot, period: number, most: number): void {
    const there = periods.get(period) ?? new Set();
    const missing = [...wanted].filter((file) => !there.has(file)).slice(0, most);
    if (missing.length > 0) periods.set(period, there);
    let occupied: Occupied | undefined;
    for (const file of missing) {
      try {
        makeHotFile(held, period, file);
        there.add(file);
      } catch (error) {
        if (!(error instanceof Occupied)) throw error;
        occupied = error;
      }
    }
    if (occupied !== undefined) throw occupied;
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
    warn('hot list odd', 'something in the hot list is not of the sidecar: it stays', {
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

/** As the map of `$msec` in nginx/http-hot.conf has it: whole seconds without the last digit. */
export function periodOf(time: number): number {
  return Math.floor(time / PERIOD_MS);
}
