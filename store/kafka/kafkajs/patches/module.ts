import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
/** For each file that was tried: whether it was replaced. */
const tried = new Map<string, boolean>();

/** The version of kafkajs that this process uses. */
export function kafkajsVersion(): string {
  return require('kafkajs/package.json').version;
}

/** Whether a file of kafkajs is loaded: it keeps what it required until then. */
export function isKafkajsModuleLoaded(file: string): boolean {
  return require.cache[require.resolve(`kafkajs/src/${file}`)] !== undefined;
}

/**
 * Replaces the exports of a file of kafkajs with the result of `replace`, for every module of this process that requires the file from now
 * on. Does so once per file. Returns whether they were replaced: not if the file does not exist, or if `replace` returns undefined because
 * the exports are not what it expects.
 */
export function replaceKafkajsModule<Exported>(
  file: string,
  replace: (original: Exported) => Exported | undefined,
): boolean {
  const before = tried.get(file);
  if (before !== undefined) return before;
  const replaced = tryToReplace(`kafkajs/src/${file}`, replace);
  tried.set(file, replaced);
  return replaced;
}

function tryToReplace<Exported>(
  name: string,
  replace: (original: Exported) => Exported | undefined,
): boolean {
  try {
    require(name);
  } catch {
    return false;
  }
  const loaded = require.cache[require.resolve(name)];
  if (loaded?.exports == null) return false;
  const replacement = replace(loaded.exports);
  if (replacement === undefined) return false;
  loaded.exports = replacement;
  return true;
}

/** For a file that exports a function: replaces it with another function. */
export function asFunction<Replacement>(
  replacement: Replacement,
): (original: Replacement) => Replacement | undefined {
  return (original) => (typeof original === 'function' ? replacement : undefined);
}
