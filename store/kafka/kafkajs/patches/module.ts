import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
/** Of each file, whether it was replaced. */
const tried = new Map<string, boolean>();

/** The kafkajs that this process runs with. */
export function kafkajsVersion(): string {
  return require('kafkajs/package.json').version;
}

/**
 * Puts what `replace` makes of it in place of what a file within kafkajs exports, for everybody in this process who asks for that file
 * from now on; once. Returns whether it is in place: not where there is no such file, nor where `replace` returns undefined,
 * because what it finds there is not what it knows.
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

/** Of what exports a function: puts another one in its place. */
export function asFunction<Replacement>(
  replacement: Replacement,
): (original: Replacement) => Replacement | undefined {
  return (original) => (typeof original === 'function' ? replacement : undefined);
}
