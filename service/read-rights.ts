import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';

/** A file that settings came from, and who may do what with it. */
export type SettingsFile = {
  path: string;
  /** Holds a password, an API key or a salt. */
  secret: boolean;
  /** Permission bits; undefined for what is no regular file: a pipe. */
  mode: number | undefined;
  uid: number;
};

/** A file's text and its rights at that moment. Throws what the file system says. */
export function readWithRights(path: string): { text: string; mode: number | undefined; uid: number } {
  const fd = openSync(path, 'r');
  try {
    const stat = fstatSync(fd);
    const mode = stat.isFile() ? stat.mode & 0o777 : undefined;
    return { text: readFileSync(fd, 'utf8'), mode, uid: stat.uid };
  } finally {
    closeSync(fd);
  }
}
