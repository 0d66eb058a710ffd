import { chmod, lstat, mkdtemp, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { makeFolder } from '../service/make-folder.ts';
import { foreignOwner, foreignWriters } from '../service/ownership.ts';
import { ProvisionError } from './provision-error.ts';
import type { Downloading, Report } from './report.ts';

export type Obtain = {
  /** The name of the folder: part and version. */
  name: string;
  /** For people: `Kafka 4.1.1 from Maven Central (43 MB)`. */
  what: string;
  report: Report;
  /** Until the download begins, and without it, a line every four seconds says how far it is. */
  downloading?: Downloading | undefined;
  /**
   * Fills the folder. It has a temporary name until this resolves, so its path must not be stored. It may call `onDownload` with a folder
   * into which so many bytes come.
   */
  make: (folder: string, onDownload: OnDownload) => Promise<void>;
};

export type OnDownload = (into: string, bytes: number) => void;

const PROGRESS_MS = 4_000;
const DOWNLOADING_MS = 250;
const ABANDONED_MS = 60 * 60_000;

/** The folder of unfinished downloads in the cache. Only hotitem uses this name, and nothing else is ever removed. */
const UNFINISHED = '.hotitem-unfinished';

/** The cache folder: `$HOTITEM_CACHE`, else `$XDG_CACHE_HOME/hotitem`, else `~/.cache/hotitem`. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.HOTITEM_CACHE) return resolve(env.HOTITEM_CACHE);
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'hotitem');
}

/**
 * The folder of that name in the cache; creates it if it is missing. It is filled under a temporary name and renamed when complete, so it
 * is never incomplete. If two processes create it at once, one wins and both use it.
 */
export async function obtain({ name, what, report, downloading, make }: Obtain): Promise<string> {
  const cache = cacheFolder();
  const folder = join(cache, name);
  await requireOwn(cache, report);
  if (await exists(folder)) return folder;

  const work = join(cache, UNFINISHED);
  makeFolder(cache, 0o755);
  makeFolder(work, 0o700);
  await removeAbandoned(work);
  const unfinished = await mkdtemp(join(work, `${name}-`));
  const started = Date.now();
  report(`obtaining ${what} …`);
  let download: { into: string; bytes: number; line: ReturnType<Downloading> } | undefined;
  let isOver = false;
  const progress = [setInterval(tell, PROGRESS_MS), setInterval(show, DOWNLOADING_MS)];
  try {
    await make(unfinished, (into, bytes) => {
      if (downloading !== undefined && bytes > 0) download = { into, bytes, line: downloading() };
    });
    await chmod(unfinished, 0o755);
    await renameUnlessThere(unfinished, folder);
  } finally {
    isOver = true;
    for (const timer of progress) clearInterval(timer);
    download?.line.end();
    await rm(unfinished, { recursive: true, force: true });
  }
  report(`done in ${seconds(started)} s, kept in ${folder}`);
  return folder;

  async function tell(): Promise<void> {
    // Another process must not take it for one that was abandoned.
    await utimes(unfinished, new Date(), new Date()).catch(() => {});
    if (download !== undefined) return;
    const bytes = await sizeOf(unfinished);
    report(`… ${seconds(started)} s, ${megabytes(bytes)} MB on disk, unpacked files included`);
  }

  async function show(): Promise<void> {
    if (download === undefined) return;
    const { into, bytes, line } = download;
    const done = await sizeOf(into);
    if (!isOver) line.show(done, bytes);
  }
}

/**
 * Programs in this folder are executed: only root or this user may have created them. Removes the permissions of others from a folder
 * of our own. Throws a `ProvisionError`.
 */
async function requireOwn(folder: string, report: Report): Promise<void> {
  const uid = process.getuid?.() ?? 0;
  const found = await stat(folder).catch(() => undefined);
  if (found === undefined) return;
  const owner = foreignOwner(found, uid);
  const writers = foreignWriters(found, uid);
  if (owner === undefined && writers !== undefined && found.uid === uid) {
    await chmod(folder, found.mode & ~0o022);
    report(`${folder} ${writers}: now by its owner only. Remove it if others have used it`);
  } else if (owner !== undefined || writers !== undefined) {
    throw new ProvisionError(`${folder} ${owner ?? writers}: nothing is run from there`, {
      hint: 'Name a folder of your own: HOTITEM_CACHE=/path/to/folder.',
    });
  }
}

async function renameUnlessThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!(await exists(to))) throw error;
  }
}

/**
 * Removes what a killed process left behind. Younger folders may belong to a running process. Compares ctime, because unpacking a package
 * sets the mtime of the folder to the package's own, years ago.
 */
async function removeAbandoned(work: string): Promise<void> {
  for (const name of await readdir(work)) {
    const folder = join(work, name);
    const info = await lstat(folder).catch(() => undefined);
    if (info === undefined || Date.now() - info.ctimeMs < ABANDONED_MS) continue;
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * The bytes of all files below; files that disappear meanwhile are skipped. Uses the types of directory entries: without them Node follows
 * symbolic links to folders, and a Debian tree has some that lead out of it, or to themselves (`/usr/bin/X11`).
 */
export async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(
        async ({ parentPath, name }) =>
          (await lstat(join(parentPath, name)).catch(() => undefined))?.size ?? 0,
      ),
  );
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1_000_000);
}

function seconds(since: number): number {
  return Math.round((Date.now() - since) / 1000);
}
