import { createRequire } from 'node:module';

const replaced = new Set<string>();

/**
 * Puts what `replace` makes of it in place of what a file within kafkajs 2.2.4 exports, for everybody in this process who asks for
 * that file from now on; once. A version without the file is left as it is.
 */
export function replaceKafkajsModule<Exported>(
  file: string,
  replace: (original: Exported) => Exported,
): void {
  if (replaced.has(file)) return;
  replaced.add(file);
  const require = createRequire(import.meta.url);
  const name = `kafkajs/src/${file}`;
  try {
    require(name);
  } catch {
    return;
  }
  const loaded = require.cache[require.resolve(name)];
  if (loaded !== undefined) loaded.exports = replace(loaded.exports);
}
