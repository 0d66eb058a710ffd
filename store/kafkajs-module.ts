import { createRequire } from 'node:module';

/**
 * Puts `exported` in place of what a file within kafkajs 2.2.4 exports, for everybody in this process who asks for that file from now
 * on. A version without the file is left as it is.
 */
export function replaceKafkajsModule(file: string, exported: unknown): void {
  const require = createRequire(import.meta.url);
  const name = `kafkajs/src/${file}`;
  try {
    require(name);
  } catch {
    return;
  }
  const loaded = require.cache[require.resolve(name)];
  if (loaded !== undefined) loaded.exports = exported;
}
