import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { globMatcher, isPattern, type Source } from './configuration.ts';

/** Reads the files from disk, for a configuration that nginx refuses to print. */
export const diskSource: Source = {
  find: (pattern) => (isPattern(pattern) ? expand(pattern) : existsSync(pattern) ? [pattern] : []),
  read(path) {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      // nginx reports this itself, and in more detail.
      return undefined;
    }
  },
};

function expand(pattern: string): string[] {
  const parts = pattern.split('/').slice(1);
  let paths = ['/'];
  for (const part of parts) {
    paths = paths.flatMap((folder) =>
      isPattern(part)
        ? namesIn(folder)
            .filter(globMatcher(part))
            .map((name) => join(folder, name))
        : [join(folder, part)],
    );
  }
  return paths.filter((path) => existsSync(path)).sort();
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
