import { chmod, lstat, mkdtemp, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { makeFolder } from '../service/make-folder.ts';
import { foreignOwner, foreignWriters } from '../service/ownership.ts';
import { ProvisionError } from './provision-error.ts';
import type { Report } from './report.ts';

export type Obtain = {
  /** The folder's name: the part and its version. */
  name: string;
  /** For people: `Kafka 4.1.1 from Maven Central (43 MB)`. */
  what: string;
  report: Report;
  /** Fills the folder. It has another name until this resolves, so nothing may remember its path. */
  make: (folder: string) => Promise<void>;
};

const PROGRESS_MS = 4_000;
const ABANDONED_MS = 60 * 60_000;

/** Unfinished downloads in the cache. Only we use a folder of that name, and nothing else is ever removed. */
const UNFINISHED = '.hotitem-unfinished';

/** Where the parts are kept: `$HOTITEM_CACHE`, else `$XDG_CACHE_HOME/hotitem`, else `~/.cache/hotitem`. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.HOTITEM_CACHE) return resolve(env.HOTITEM_CACHE);
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'hotitem');
}

/**
 * The folder of that name in the cache, made first where it is missing. It is filled under another name and renamed
 * when complete, so it is never there by half, and of two processes that make it at once one wins and both have it.
 */
export async function obtain({ name, what, report, make }: Obtain): Promise<string> {
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
  report(`getting ${what} …`);
  const progress = setInterval(async () => {
    // Shows progress, however long a download takes.
    await utimes(unfinished, new Date(), new Date()).catch(() => {});
    const bytes = await sizeOf(unfinished);
    report(`… ${seconds(started)} s, ${megabytes(bytes)} MB on disk, unpacked files included`);
  }, PROGRESS_MS);
  try {
    await make(unfinished);
    await chmod(unfinished, 0o755);
    await renameUnlessThere(unfinished, folder);
  } finally {
    clearInterval(progress);
    await rm(unfinished, { recursive: true, force: true });
  }
  report(`done in ${seconds(started)} s, kept in ${folder}`);
  return folder;
}

/**
 * Files there are run: only root or this user may have created them. Of our own folder the rights of others are
 * taken away. Throws a `ProvisionError`.
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
 * What a killed process has left. Younger ones may be another process at work. Unlike the time of modification, that of
 * the change cannot be set: unpacking a package gives the folder the package's own, years old.
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
 * Bytes of all files below; those that vanish meanwhile count nothing. By types: without them Node follows links to folders, and a whole
 * Debian has some that lead out of it, or to themselves (`/usr/bin/X11`).
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
