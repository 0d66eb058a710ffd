import type { BigIntStats, Dirent } from 'node:fs';
import { lstat, opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A file of lines, as of the last listing of the folder. */
export type TailedFile = {
  path: string;
  /** By its name: `log-…` is written by the transport log, `shared-…` by log-shared.conf, all others are spills. */
  source: 'log' | 'shared' | 'spill';
  /** As text: file systems use numbers beyond 2^53, and rounding could make two inodes equal. */
  inode: string;
  bytes: number;
  /** Its disk usage; less than its size if it has holes, or is compressed. */
  diskBytes: number;
  /** Nothing writes to it any more. */
  cold: boolean;
};

/** Why an entry of the folder is not read. */
export type Oddity = (typeof ODDITIES)[number];

export const ODDITIES = [
  /** nginx gives no file such a name. */
  'name',
  /** A symbolic link. */
  'link',
  /** A folder, a pipe, a socket. */
  'type',
  /** It has a second hard link: it may belong to somebody else. */
  'hard_link',
  /** It was created elsewhere: it lacks the group that the folder gives to new files. */
  'owner',
  /** Far larger than its disk usage, which files of lines never are. */
  'sparse',
  /** The sidecar has no permission to read it. Retried every 30 s. */
  'unreadable',
  /** It contains almost no events: it is read all the same, but slowly (turns.ts). */
  'junk',
] as const;

export type Listing = {
  /** Oldest name first. */
  files: TailedFile[];
  /** False if there are too many to list at once. */
  isWhole: boolean;
  odd: Record<Oddity, number>;
  /** The name of one odd entry. */
  example?: { name: string; reason: Oddity };
};

/** A minute, nginx's cache of open files (60 s, checked every 10 s) and a margin. See nginx/log.conf. */
const COLD_AFTER_MS = 180_000;
/** If there are more, each listing returns different ones. */
const MOST_FILES = 50_000;
const NAME = /^\w[\w.:-]{0,127}\.tsv$/;
/** Created by nginx, `hotitem nginx drain`, an earlier sidecar or the file system. */
const OWN = /^(full|drain|report-\d{1,15}|lost\+found)$/;
/** Concurrent calls of stat: libuv has four threads. */
const AT_ONCE = 32;
const BLOCK_BYTES = 512;
/** A request id alone is 16 incompressible bytes; a line has about 200. */
const BEST_COMPRESSION = 32;
const SPARSE_FROM_BYTES = 16 * 1024 * 1024;
const SETGID = 0o2000;

/**
 * Lists `dir`. Processes of the workers' user can put anything there, so nothing is opened, and only regular files that are certainly
 * nginx's are returned. Other entries are counted by the first reason that applies, and left for an operator.
 */
export async function listTailed(dir: string, now: number): Promise<Listing> {
  const folder = await stat(dir);
  const group = folder.mode & SETGID ? folder.gid : undefined;
  const listing: Listing = { files: [], isWhole: true, odd: noneOdd() };
  const names = await namesIn(dir, passOver);
  listing.isWhole = names.length < MOST_FILES;
  for (let at = 0; at < names.length; at += AT_ONCE) {
    const some = names.slice(at, at + AT_ONCE);
    const found = await Promise.all(
      some.map((name) => lstat(join(dir, name), { bigint: true }).catch(() => undefined)),
    );
    for (const [i, name] of some.entries()) judge(name, found[i], group);
  }
  return listing;

  function judge(name: string, found: BigIntStats | undefined, group: number | undefined): void {
    if (found === undefined) return;
    const oddity = oddityOf(found, group);
    if (oddity !== undefined) passOver(name, oddity);
    else
      listing.files.push({
        path: join(dir, name),
        source: sourceOf(name),
        inode: String(found.ino),
        bytes: Number(found.size),
        diskBytes: diskBytesOf(found),
        cold: now - Number(found.mtimeMs) > COLD_AFTER_MS,
      });
  }

  function passOver(name: string, reason: Oddity): void {
    listing.odd[reason]++;
    listing.example ??= { name, reason };
  }
}

function sourceOf(name: string): TailedFile['source'] {
  if (name.startsWith('log-')) return 'log';
  return name.startsWith('shared-') ? 'shared' : 'spill';
}

/** Judged by its name or stat, before anything is opened. */
export function oddityOf(found: BigIntStats, group?: number): Oddity | undefined {
  if (found.isSymbolicLink()) return 'link';
  if (!found.isFile()) return 'type';
  if (found.nlink > 1n) return 'hard_link';
  if (group !== undefined && Number(found.gid) !== group && !isTrusted(Number(found.uid))) return 'owner';
  const isSparse =
    found.size > SPARSE_FROM_BYTES && diskBytesOf(found) * BEST_COMPRESSION < Number(found.size);
  return isSparse ? 'sparse' : undefined;
}

/** The names in `dir` that nginx may have created, sorted; a sample if there are more than `MOST_FILES`. */
async function namesIn(dir: string, passOver: (name: string, reason: Oddity) => void): Promise<string[]> {
  const names: string[] = [];
  let seen = 0;
  for await (const entry of await opendir(dir, { bufferSize: 1024 })) {
    const { name } = entry;
    if (OWN.test(name)) continue;
    const oddity = NAME.test(name) ? oddTypeOf(entry) : 'name';
    if (oddity !== undefined) passOver(name, oddity);
    else if (++seen <= MOST_FILES) names.push(name);
    else replaceAny(names, name, seen);
  }
  return names.sort();
}

/** Algorithm R (Vitter 1985): each of `seen` names is equally likely to be in the sample, so a flood of files cannot hide one for long. */
function replaceAny(names: string[], name: string, seen: number): void {
  const at = Math.floor(Math.random() * seen);
  if (at < names.length) names[at] = name;
}

function oddTypeOf(entry: Dirent): Oddity | undefined {
  if (entry.isFile()) return undefined;
  return entry.isSymbolicLink() ? 'link' : 'type';
}

function isTrusted(uid: number): boolean {
  return uid === 0 || uid === process.geteuid?.();
}

function diskBytesOf({ size, blocks }: BigIntStats): number {
  return Math.min(Number(size), Number(blocks) * BLOCK_BYTES);
}

export function noneOdd(): Record<Oddity, number> {
  return { name: 0, link: 0, type: 0, hard_link: 0, owner: 0, sparse: 0, unreadable: 0, junk: 0 };
}
