import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
} from 'node:fs';
import { makeFolder } from '../service/make-folder.ts';
import { isOurs } from './hot-files.ts';

/** The folder of the hot list, held open by its descriptor: operations in it are not affected if its path is replaced. */
export type HotRoot = {
  /** A path to it by the descriptor. */
  path: string;
  /** The periods in it when it was opened. */
  periods: number[];
  /** Mode of folders created in it. */
  mode: number;
  /** Whether its path still leads to it; nginx looks there. */
  isThere(): boolean;
  close(): void;
};

const A_FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** For the workers, and nobody else. */
const MODE = 0o750;
/** setgid: new files get its group. */
const SETGID = 0o2000;

/** Name of a period: ten digits of `$msec` without the last. */
const PERIOD = /^\d{1,10}$/;

/**
 * Opens or creates the folder, readable by the group `gid`. Throws if the path is a link, belongs to another user, or contains anything but
 * a hot list.
 */
export function openHotRoot(dir: string, gid: number | undefined): HotRoot {
  const mode = gid === undefined ? MODE : MODE | SETGID;
  const owner = { uid: -1, gid: gid ?? -1 };
  refuseOther(dir);
  makeFolder(dir, mode, owner);
  const folder = openSync(dir, A_FOLDER);
  try {
    const { uid, dev, ino } = fstatSync(folder, { bigint: true });
    const self = process.geteuid?.() ?? 0;
    if (Number(uid) !== self)
      throw new Error(`heat.dir: belongs to the user ${uid}, the sidecar runs as ${self} (got ${dir})`);
    const path = `/proc/self/fd/${folder}`;
    const names = readdirSync(path);
    const other = names.find((name) => !PERIOD.test(name) || !isOurs(`${path}/${name}`, 'folder'));
    if (other !== undefined)
      throw new Error(
        `heat.dir: holds ${JSON.stringify(other)}, which is not part of a hot list: it needs a folder of its own (got ${dir})`,
      );
    // Only after the checks.
    fchownSync(folder, owner.uid, owner.gid);
    fchmodSync(folder, mode);
    return {
      path,
      mode,
      periods: names.map(Number),
      isThere() {
        const found = lstatSync(dir, { bigint: true, throwIfNoEntry: false });
        return found?.dev === dev && found.ino === ino;
      },
      close: () => closeSync(folder),
    };
  } catch (error) {
    closeSync(folder);
    throw error;
  }
}

/** `openSync` refuses both as well, with a less helpful message. */
function refuseOther(dir: string): void {
  const found = lstatSync(dir, { throwIfNoEntry: false });
  if (found === undefined || found.isDirectory()) return;
  throw new Error(`heat.dir: ${found.isSymbolicLink() ? 'is a symbolic link' : 'is no folder'} (got ${dir})`);
}
