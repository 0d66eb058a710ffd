import type { TailedFile } from './folder.ts';

/** The outcome of a turn: nothing is left for now, there is more, or the file contains almost no events. */
export type TurnOutcome = 'done' | 'more' | 'junk';

export type TurnsOptions = {
  /** Reads up to this many bytes of a file. */
  follow: (file: TailedFile, mostBytes: number) => Promise<TurnOutcome>;
  /** Called if that fails. Returns to skip the file for a while; throws to end the round. */
  onFailure: (file: TailedFile, error: unknown) => void;
  isStopping: () => boolean;
};

export type Turns = {
  /** Gives files their turns until nothing is left, or two seconds have passed. Returns whether there was time for all files but junk. */
  round(files: TailedFile[]): Promise<boolean>;
  /** Whether it contains almost no events, as far as it was read. */
  isJunk(file: TailedFile): boolean;
  /** Whether it could not be read. */
  isPutOff(file: TailedFile): boolean;
  /** Forgets all other files. */
  retain(files: TailedFile[]): void;
};

/** Bytes of a file per turn. */
const TURN_BYTES = 1024 * 1024;
/** Bytes of a junk file per turn, and of all junk per round. */
const JUNK_TURN_BYTES = 256 * 1024;
const JUNK_ROUND_BYTES = 1024 * 1024;
/** Longest round: then the folder is listed again. */
const ROUND_MS = 2_000;
/** How long a file is skipped that cannot be read or removed. */
const PUT_OFF_MS = 30_000;

/**
 * Schedules the files: those that are being written first, then older ones, oldest first. No file makes the others wait; one with almost no
 * events is read last and slowly. A folder that nginx's workers write to may contain anything.
 */
export function createTurns({ follow, onFailure, isStopping }: TurnsOptions): Turns {
  const putOff = new Map<string, number>();
  /** Inodes. */
  const junk = new Set<string>();
  let caughtUp = true;
  return { round, isJunk, isPutOff, retain };

  async function round(files: TailedFile[]): Promise<boolean> {
    const due = files.filter(isDue);
    caughtUp = await readAll(due.filter((file) => !isJunk(file)));
    await readJunk(due.filter(isJunk));
    return caughtUp;
  }

  async function readAll(files: TailedFile[]): Promise<boolean> {
    const deadline = performance.now() + ROUND_MS;
    const hot = files.filter(({ cold }) => !cold);
    const cold = files.filter((file) => file.cold);
    // If there was not time for all, this round begins with other files.
    let left = [...(caughtUp ? hot : shuffled(hot)), ...cold];
    while (left.length > 0) {
      const unfinished: TailedFile[] = [];
      for (const file of left) {
        if (isStopping() || performance.now() > deadline) return false;
        if (await turn(file, TURN_BYTES)) unfinished.push(file);
      }
      left = unfinished;
    }
    return true;
  }

  async function readJunk(files: TailedFile[]): Promise<void> {
    const most = JUNK_ROUND_BYTES / JUNK_TURN_BYTES;
    for (const file of shuffled(files).slice(0, most)) if (!isStopping()) await turn(file, JUNK_TURN_BYTES);
  }

  /** Returns whether it gets another turn. */
  async function turn(file: TailedFile, mostBytes: number): Promise<boolean> {
    try {
      const outcome = await follow(file, mostBytes);
      if (outcome === 'junk') junk.add(file.inode);
      else if (outcome === 'more') junk.delete(file.inode);
      return outcome === 'more';
    } catch (error) {
      onFailure(file, error);
      putOff.set(file.path, performance.now() + PUT_OFF_MS);
      return false;
    }
  }

  function isJunk({ inode }: TailedFile): boolean {
    return junk.has(inode);
  }

  function isPutOff({ path }: TailedFile): boolean {
    return putOff.has(path);
  }

  function isDue({ path }: TailedFile): boolean {
    const until = putOff.get(path);
    if (until === undefined) return true;
    if (performance.now() < until) return false;
    putOff.delete(path);
    return true;
  }

  function retain(files: TailedFile[]): void {
    if (junk.size === 0 && putOff.size === 0) return;
    const inodes = new Set(files.map(({ inode }) => inode));
    for (const inode of junk) if (!inodes.has(inode)) junk.delete(inode);
    const paths = new Set(files.map(({ path }) => path));
    for (const path of putOff.keys()) if (!paths.has(path)) putOff.delete(path);
  }
}

function shuffled<Item>(items: Item[]): Item[] {
  const keyed = items.map((item) => ({ item, key: Math.random() }));
  return keyed.toSorted((a, b) => a.key - b.key).map(({ item }) => item);
}
