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

/** The folder of the hot list, held by its descriptor: what lies at its path by now does not matter to what is done in it. */
export type HotRoot = {
  /** Leads into it. */
  path: string;
  /** What it held when it was opened. */
  periods: number[];
  /** For what is made in it. */
  mode: number;
  /** Whether it is still what lies at its path, which is what nginx looks into. */
  isThere(): boolean;
  close(): void;
};

const A_FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** Workers look into it, nobody else. */
const MODE = 0o750;
/** What is made in it gets its group. */
const SETGID = 0o2000;

/** Ten seconds, by what `$msec` begins with. */
const PERIOD = /^\d{1,10}$/;

/**
 * Opens the folder, or makes it, for the group `gid` to look into. Throws where something else lies there: a link, what is another
 * user's, or a folder that holds anything but a hot list.
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
        `heat.dir: holds ${JSON.stringify(other)}, which is no part of a hot list of the sidecar's: name a folder for it alone (got ${dir})`,
      );
    // Once it is certain that it is ours.
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

/** `openSync` refuses both as well, and says less. */
function refuseOther(dir: string): void {
  const found = lstatSync(dir, { throwIfNoEntry: false });
  if (found === undefined || found.isDirectory()) return;
  throw new Error(`heat.dir: ${found.isSymbolicLink() ? 'is a symbolic link' : 'is no folder'} (got ${dir})`);
}
