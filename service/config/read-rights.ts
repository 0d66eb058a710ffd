import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { foreignOwner, whyForeign } from '../ownership.ts';

/** A file with settings, and who can access it. */
export type SettingsFile = {
  path: string;
  /** Contains a password, an API key or a salt. */
  secret: boolean;
  /** Permission bits; undefined for anything but a regular file, such as a pipe. */
  mode: number | undefined;
  uid: number;
};

type Read = { text: string; mode: number | undefined; uid: number };

/** Reads a named file, with its permissions at that moment. Throws file system errors. */
export function readWithRights(path: string): Read {
  const fd = openSync(path, 'r');
  try {
    return readOpen(fd, fstatSync(fd));
  } finally {
    closeSync(fd);
  }
}

/**
 * The same for a file that was found, not named: it must be a regular file that belongs to root or the user `uid`, who reads it. Throws if
 * it does not.
 */
export function readOwn(path: string, uid: number): Read {
  const link = lstatSync(path);
  const follow = link.isSymbolicLink() ? 0 : constants.O_NOFOLLOW;
  // Opening a FIFO would block.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | follow);
  try {
    const file = fstatSync(fd);
    const reason = file.isFile()
      ? (foreignOwner(link, uid) ?? whyForeign(file, uid))
      : 'is not a regular file';
    if (reason !== undefined)
      throw new Error(`it is not read, because it ${reason}; use --config if you trust it`);
    return readOpen(fd, file);
  } finally {
    closeSync(fd);
  }
}

function readOpen(fd: number, stat: Stats): Read {
  const mode = stat.isFile() ? stat.mode & 0o777 : undefined;
  return { text: readFileSync(fd, 'utf8'), mode, uid: stat.uid };
}
