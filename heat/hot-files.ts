import {
  closeSync,
  constants,
  type Dirent,
  fchmodSync,
  linkSync,
  lstatSync,
  openSync,
  readdirSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs';
import { codeOf } from '../service/error-code.ts';
import { makeFolder } from '../service/make-folder.ts';

/*
 * File operations in the folder of the hot list. `root` is a path to it, `file` is `ACTION/i.ITEM`. Only this user can write there.
 * Anything foreign, for example created by root, is neither followed nor removed.
 */

/** Something foreign is in the way. */
export class Occupied extends Error {}

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
/** Readable, because with disable_symlinks nginx opens the file. */
const FILE_MODE = 0o640;
const A_FILE = /^i\../;

/** Path to the folder, and the mode of folders that are created in it. */
export type HotPlace = { path: string; mode: number };

/**
 * Creates an empty file and its parent folders. An existing file of ours is left as it is. `like`: a file of the period that a call
 * just before has created or found to be ours; the new one becomes another link to it, which on a disk takes a fraction of the time of a new
 * file.
 */
export function makeHotFile(
  { path: root, mode }: HotPlace,
  { period, file, like }: { period: number; file: string; like?: string | undefined },
): void {
  const path = `${root}/${period}/${file}`;
  if (like !== undefined && isLinked(`${root}/${period}/${like}`, path)) return;
  try {
    makeEmpty(path);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') requireOurs(path, 'file');
    else if (codeOf(error) === 'ENOENT') {
      const [action = ''] = file.split('/');
      for (const folder of [`${root}/${period}`, `${root}/${period}/${action}`]) {
        if (!makeFolder(folder, mode)) requireOurs(folder, 'folder');
      }
      makeEmpty(path);
    } else throw error;
  }
}

/** Like `O_EXCL`, link(2) fails where anything exists, and does not follow a link there. If it fails, a file of its own is created. */
function isLinked(like: string, path: string): boolean {
  try {
    linkSync(like, path);
    return true;
  } catch {
    return false;
  }
}

function makeEmpty(path: string): void {
  const file = openSync(path, NEW_FILE, FILE_MODE);
  try {
    // chmod, because the umask applies to the creation.
    fchmodSync(file, FILE_MODE);
  } finally {
    closeSync(file);
  }
}

/** Returns false if what is there is not ours; it is left alone. */
export function removeHotFile(root: string, period: number, file: string): boolean {
  const path = `${root}/${period}/${file}`;
  if (!isOurs(path, 'file')) return lstatSync(path, { throwIfNoEntry: false }) === undefined;
  unlinkSync(path);
  return true;
}

/** The files of a period, and what else is there. */
export function listHotFiles(root: string, period: number): { files: Set<string>; others: string[] } {
  const files = new Set<string>();
  const others: string[] = [];
  for (const action of entriesOf(`${root}/${period}`)) {
    if (action.isDirectory()) inAction(action.name);
    else others.push(action.name);
  }
  return { files, others };

  function inAction(action: string): void {
    for (const entry of entriesOf(`${root}/${period}/${action}`)) {
      if (entry.isFile() && A_FILE.test(entry.name)) files.add(`${action}/${entry.name}`);
      else others.push(`${action}/${entry.name}`);
    }
  }
}

/** Removes the empty folders of a period. Returns false if one is not empty. */
export function removeHotPeriod(root: string, period: number): boolean {
  const folders = entriesOf(`${root}/${period}`).map(({ name }) => `${root}/${period}/${name}`);
  return [...folders, `${root}/${period}`].map(removeEmpty).every(Boolean);
}

function removeEmpty(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOTEMPTY' || code === 'ENOTDIR') return false;
    if (code === 'ENOENT') return true;
    throw error;
  }
}

/** Throws file system errors; a missing period has no entries, nor has a foreign file in its place. */
function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}

function requireOurs(path: string, kind: 'file' | 'folder'): void {
  if (!isOurs(path, kind)) throw new Occupied(`a foreign file is in the way at ${path}`);
}

/** False for a link, and for what belongs to another user. */
export function isOurs(path: string, kind: 'file' | 'folder'): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.uid !== (process.geteuid?.() ?? 0)) return false;
  return kind === 'file' ? found.isFile() : found.isDirectory();
}
