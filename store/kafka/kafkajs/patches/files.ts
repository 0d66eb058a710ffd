import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** A file of kafkajs that is loaded. Every module that requires it from now on gets its `exports`. */
export type KafkajsFile = { exports: unknown };

// The build puts functions of the same names in the place of these: in a bundle, the files of kafkajs are no files.

/** Loads a file of kafkajs: `index`, `src/constants`, `package.json`. Returns its exports. Throws if there is none. */
export function loadKafkajs(file: string): unknown {
  return require(`kafkajs/${file}`);
}

/** Undefined if the file was not loaded yet. */
export function loadedKafkajs(file: string): KafkajsFile | undefined {
  return require.cache[require.resolve(`kafkajs/${file}`)];
}
