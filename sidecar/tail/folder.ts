import type { BigIntStats, Dirent } from 'node:fs';
import { lstat, opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A file of lines, as it was when the folder was looked at. */
export type TailedFile = {
  path: string;
  /** Which of nginx's ways to the folder wrote it: its name begins with `log-`, or it is a spill. */
  source: 'log' | 'spill';
  /** As text: file systems number beyond 2^53, and two inodes rounded to one number would be one file. */
  inode: string;
  bytes: number;
  /** What of the disk it takes; less where it has holes, or the file system compresses. */
  diskBytes: number;
  /** Nothing writes to it any more. */
  cold: boolean;
};

/** Why something in the folder is not read. */
export type Oddity = (typeof ODDITIES)[number];

export const ODDITIES = [
  /** nginx gives no file such a name. */
  'name',
  /** A symbolic link. */
  'link',
  /** A folder, a pipe, a socket. */
  'type',
  /** It has another name elsewhere: it may belong to somebody else. */
  'hard_link',
  /** It was created elsewhere: it lacks the group that the folder gives to new files. */
  'owner',
  /** Far larger than what it takes of the disk: lines cannot be. */
  'sparse',
  /** The sidecar may not read it. It tries again every 30 s. */
  'unreadable',
  /** It holds next to no event: it is read all the same, slowly (turns.ts). */
  'junk',
] as const;

export type Listing = {
  /** Oldest name first. */
  files: TailedFile[];
  /** Whether these are all; there may be too many. */
  isWhole: boolean;
  odd: Record<Oddity, number>;
  /** One of the odd ones. */
  example?: { name: string; reason: Oddity };
};

/** A minute, nginx's cache of open files (60 s, checked every 10 s) and a grace. See nginx/log.conf. */
const COLD_AFTER_MS = 180_000;
/** Where there are more, each look takes others. */
const MOST_FILES = 50_000;
const NAME = /^\w[\w.:-]{0,127}\.tsv$/;
/** What nginx, `hotitem nginx drain`, an earlier sidecar and the file system itself put there. */
const OWN = /^(full|drain|report-\d{1,15}|lost\+found)$/;
/** Asked for at once: they are answered by four threads. */
const AT_ONCE = 32;
const BLOCK_BYTES = 512;
/** A request id alone is 16 incompressible bytes; a line has about 200. */
const BEST_COMPRESSION = 32;
const SPARSE_FROM_BYTES = 16 * 1024 * 1024;
const SETGID = 0o2000;

/**
 * The content of `dir`. Processes of the workers' user can put anything there, so nothing is opened, and only regular files that are
 * beyond doubt are nginx's. The rest is counted by the first reason that applies, and stays for a person to look at.
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
        source: name.startsWith('log-') ? 'log' : 'spill',
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

/** Of a name or of what it leads to, before anything is opened. */
export function oddityOf(found: BigIntStats, group?: number): Oddity | undefined {
  if (found.isSymbolicLink()) return 'link';
  if (!found.isFile()) return 'type';
  if (found.nlink > 1n) return 'hard_link';
  if (group !== undefined && Number(found.gid) !== group && !isTrusted(Number(found.uid))) return 'owner';
  const isSparse =
    found.size > SPARSE_FROM_BYTES && diskBytesOf(found) * BEST_COMPRESSION < Number(found.size);
  return isSparse ? 'sparse' : undefined;
}

/** The names of files in `dir` that nginx may have given, sorted; of more than `MOST_FILES` any. */
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

/** Algorithm R (Vitter 1985): each of all `seen` is as likely to be among them, so that no number of others hides one for long. */
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
