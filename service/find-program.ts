import { existsSync } from 'node:fs';
import { delimiter, isAbsolute, join, resolve } from 'node:path';

/**
 * The path of a program. A name with a slash is a path; any other is looked up in `searched` and `folders`, never in the working directory,
 * where files may belong to somebody else. Undefined if it is not found.
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

/** PATH without relative entries such as an empty one or `.`. */
export function withoutRelative(searched: string | undefined): string {
  return foldersOf(searched).join(delimiter);
}

function foldersOf(searched = ''): string[] {
  return searched.split(delimiter).filter(isAbsolute);
}
