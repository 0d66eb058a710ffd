import {
  closeSync,
  constants,
  type Dirent,
  fchmodSync,
  lstatSync,
  openSync,
  readdirSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs';
import { makeFolder } from '../service/make-folder.ts';

/*
 * What is done in the folder of the hot list. `root` leads into it, `file` is `ACTION/i.ITEM`. Nobody else can write there; what is not
 * ours all the same, because root put it there, say, is neither followed nor removed.
 */

/** Whether something could not be done because of what lies there. */
export class Occupied extends Error {}

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
/** With disable_symlinks nginx opens what it otherwise only looks at. */
const FILE_MODE = 0o640;
const A_FILE = /^i\../;

/** Leads into the folder; the mode of folders that are made in it. */
export type HotPlace = { path: string; mode: number };

/** Makes an empty file, and the folders above it. One of ours that is there already will do. */
export function makeHotFile({ path: root, mode }: HotPlace, period: number, file: string): void {
  const path = `${root}/${period}/${file}`;
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

function makeEmpty(path: string): void {
  const file = openSync(path, NEW_FILE, FILE_MODE);
  try {
    // Whatever the umask.
    fchmodSync(file, FILE_MODE);
  } finally {
    closeSync(file);
  }
}

/** False where what lies there is not ours, and stays. */
export function removeHotFile(root: string, period: number, file: string): boolean {
  const path = `${root}/${period}/${file}`;
  if (!isOurs(path, 'file')) return lstatSync(path, { throwIfNoEntry: false }) === undefined;
  unlinkSync(path);
  return true;
}

/** The files that a period has, and what else lies there. */
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

/** Removes the empty folders of a period. False where something is left in them. */
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

/** Throws what the file system says; a period that is gone has none. */
function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

function requireOurs(path: string, kind: 'file' | 'folder'): void {
  if (!isOurs(path, kind)) throw new Occupied(`something that is not the sidecar's lies at ${path}`);
}

/** False for a link, and for what another user owns. */
export function isOurs(path: string, kind: 'file' | 'folder'): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.uid !== (process.geteuid?.() ?? 0)) return false;
  return kind === 'file' ? found.isFile() : found.isDirectory();
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
