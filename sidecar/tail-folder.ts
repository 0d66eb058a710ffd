import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';

/** A file of lines, as it was when the folder was looked at. */
export type TailedFile = {
  path: string;
  /** Which of nginx's ways to the folder wrote it: its name begins with `log-`, or it is a spill. */
  source: 'log' | 'spill';
  /** As text: file systems number beyond 2^53, and two inodes rounded to one number would be one file. */
  inode: string;
  bytes: number;
  /** Nobody writes to it any more. */
  cold: boolean;
};

/** A minute, nginx's cache of open files (60 s, checked every 10 s) and a grace. See nginx/log.conf. */
const COLD_AFTER_MS = 180_000;
/** More are left for when these are done and removed. */
const MOST_FILES = 50_000;
const NAME = /^\w[\w.:-]{0,127}\.tsv$/;

/**
 * The files that nginx writes to `dir`, oldest name first. Anything else that lies there is no file of ours and is passed
 * over: other names, folders, links, pipes.
 */
export async function listTailed(dir: string, now: number): Promise<TailedFile[]> {
  const files: TailedFile[] = [];
  for (const name of await namesIn(dir)) {
    const path = join(dir, name);
    const found = await lstat(path, { bigint: true }).catch(() => undefined);
    if (!found?.isFile()) continue;
    files.push({
      path,
      source: name.startsWith('log-') ? 'log' : 'spill',
      inode: String(found.ino),
      bytes: Number(found.size),
      cold: now - Number(found.mtimeMs) > COLD_AFTER_MS,
    });
  }
  return files;
}

async function namesIn(dir: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of await opendir(dir, { bufferSize: 1024 })) {
    if (!NAME.test(name)) continue;
    names.push(name);
    if (names.length === MOST_FILES) break;
  }
  return names.sort();
}
