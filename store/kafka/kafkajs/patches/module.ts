import { loadedKafkajs, loadKafkajs } from './files.ts';

/** For each file that was tried: whether it was replaced. */
const tried = new Map<string, boolean>();

/** The version of kafkajs that this process uses. */
export function kafkajsVersion(): string {
  return (loadKafkajs('package.json') as { version: string }).version;
}

/** Whether a file of kafkajs is loaded: it keeps what it required until then. */
export function isKafkajsModuleLoaded(file: string): boolean {
  return loadedKafkajs(`src/${file}`) !== undefined;
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
  const replaced = tryToReplace(`src/${file}`, replace);
  tried.set(file, replaced);
  return replaced;
}

function tryToReplace<Exported>(
  name: string,
  replace: (original: Exported) => Exported | undefined,
): boolean {
  try {
    loadKafkajs(name);
  } catch {
    return false;
  }
  const loaded = loadedKafkajs(name);
  if (loaded?.exports == null) return false;
  const replacement = replace(loaded.exports as Exported);
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
