import { dirname, resolve } from 'node:path';
import { type Directive, parseDirectives, type SourceFile } from './directives.ts';

/** Reads the text of the files: from the output of `nginx -T`, or from disk. */
export type Source = {
  /** The paths that match an include's pattern, in nginx's order. */
  find(pattern: string): string[];
  /** Undefined if it does not exist or cannot be read. */
  read(path: string): string | undefined;
};

export type Configuration = {
  main: SourceFile;
  /** Each file once, in the order in which nginx reads them. */
  files: SourceFile[];
  /** Includes that name one file, which does not exist. */
  missing: Directive[];
};

/** `# configuration file /etc/nginx/nginx.conf:`, as nginx -T writes it before each file. */
const MARKER = /^# configuration file (.+):$/;
const MOST_FILES = 5_000;
const PATTERN = /[*?[]/;

/**
 * The files in what `nginx -T` prints, by path; the first is the main one. A comment of a file that looks just like nginx's
 * marker cannot be told from one, and splits that file.
 */
export function splitDump(dump: string): Map<string, string> {
  const files = new Map<string, string>();
  let path: string | undefined;
  let lines: string[] = [];
  for (const line of dump.split('\n')) {
    const found = MARKER.exec(line)?.[1];
    if (found === undefined) {
      lines.push(line);
      continue;
    }
    keep();
    path = found;
    lines = [];
  }
  keep();
  return files;

  function keep(): void {
    if (path !== undefined && !files.has(path)) files.set(path, lines.join('\n'));
  }
}

/** A source over the output of `nginx -T`. */
export function dumpSource(files: Map<string, string>): Source {
  return {
    read: (path) => files.get(path),
    find(pattern) {
      if (!PATTERN.test(pattern)) return files.has(pattern) ? [pattern] : [];
      const matches = globMatcher(pattern);
      return [...files.keys()].filter((path) => matches(path)).sort();
    },
  };
}

/** Whether an include has a pattern, which may match nothing, rather than a path, which must exist. */
export function isPattern(path: string): boolean {
  return PATTERN.test(path);
}

/** Reads the main file and everything that it includes. As in nginx, relative paths start at the main file's folder. */
export function readConfiguration(mainPath: string, source: Source): Configuration {
  const folder = dirname(mainPath);
  const files = new Map<string, SourceFile>();
  const missing: Directive[] = [];
  let read = 0;
  return { main: load(mainPath, []), files: [...files.values()], missing };

  function load(path: string, parents: string[]): SourceFile {
    read++;
    const file = parseDirectives(path, source.read(path) ?? '');
    if (!files.has(path)) files.set(path, file);
    follow(file.directives, [...parents, path]);
    return file;
  }

  function follow(directives: Directive[], parents: string[]): void {
    for (const directive of directives) {
      if (directive.block !== undefined) follow(directive.block, parents);
      if (directive.name === 'include' && directive.block === undefined) bringIn(directive, parents);
    }
  }

  function bringIn(directive: Directive, parents: string[]): void {
    const pattern = resolve(folder, directive.args[0] ?? '');
    const paths = source.find(pattern);
    if (paths.length === 0 && !isPattern(pattern)) missing.push(directive);
    // A file that includes itself: nginx fails on it, too.
    const fresh = paths.filter((path) => !parents.includes(path) && read < MOST_FILES);
    directive.included = fresh.map((path) => load(path, parents));
  }
}

/** A path pattern of glob(3) with `*`, `?` and `[…]`; none of them matches a slash or a leading dot. */
export function globMatcher(pattern: string): (path: string) => boolean {
  const parts = pattern.split('/').map(partMatcher);
  return (path) => {
    const names = path.split('/');
    return names.length === parts.length && names.every((name, i) => parts[i]?.(name));
  };
}

function partMatcher(part: string): (name: string) => boolean {
  const body = part.replace(/\*+|\?|\[!?\]?[^\]]*\]|[\s\S]/gu, (found) => {
    if (found.startsWith('*')) return '.*';
    if (found === '?') return '.';
    const [, not, set] = /^\[(!?)(\]?[^\]]+)\]$/u.exec(found) ?? [];
    if (set === undefined) return found.replace(/[\\^$.|?*+()[\]{}/]/gu, '\\$&');
    return `[${not === '!' ? '^' : ''}${set.replace(/[\\\]^[]/gu, '\\$&')}]`;
  });
  try {
    const regexp = new RegExp(`^${part.startsWith('.') ? '' : '(?!\\.)'}${body}$`, 'su');
    return (name) => regexp.test(name);
  } catch {
    // A reversed range, [z-a], matches nothing.
    return () => false;
  }
}
