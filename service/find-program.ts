import { existsSync } from 'node:fs';
import { delimiter, isAbsolute, join, resolve } from 'node:path';

/**
 * The path of a program. A name with a slash is a path; any other is looked for on `searched` and in `folders`, never in the
 * working directory: files there may belong to somebody else. Undefined where there is none.
 */
export function findProgram(
  name: string,
  { searched, folders = [] }: { searched: string | undefined; folders?: string[] },
): string | undefined {
  const paths = name.includes('/')
    ? [resolve(name)]
    : [...foldersOf(searched), ...folders].map((folder) => join(folder, name));
  return paths.find((path) => existsSync(path));
}

/** A PATH without the working directory: an empty entry, `.` and every other relative one. */
export function withoutRelative(searched: string | undefined): string {
  return foldersOf(searched).join(delimiter);
}

function foldersOf(searched = ''): string[] {
  return searched.split(delimiter).filter(isAbsolute);
}
