import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';

const DIST = join(import.meta.dirname, '../../../dist');
/** The program, and its groups of commands. */
const GROUPS = /^(?:services|indexes|installation|questions|start)-\w+\.mjs$/;
const PROGRAMS = [
  join(DIST, 'hotitem.mjs'),
  ...readdirSync(join(DIST, 'chunks'))
    .filter((name) => GROUPS.test(name))
    .map((name) => join(DIST, 'chunks', name)),
];

/** Of each file that was asked about. */
const known = new Map<string, string[]>();

test.each([
  '@duckdb/node-api',
  '@duckdb/node-bindings',
  '@elastic/elasticsearch',
  '@platformatic/kafka',
  'csv-parse',
  'kafkajs',
])('a command that does not need %s does not load it', (name) => {
  expect(PROGRAMS.length).toBe(6);
  for (const program of PROGRAMS) {
    const loaded = loadedAtStart(program);
    expect(loaded).not.toContain(name);
    // The packages are told apart from our own files at all.
    expect(loaded).toContain('zod');
  }
});

/** The packages that `file` imports or contains, and the files that it imports, without being asked. */
function loadedAtStart(file: string): string[] {
  const loaded = known.get(file) ?? [...new Set(readLoaded(file))];
  known.set(file, loaded);
  return loaded;
}

function readLoaded(file: string): string[] {
  const imported = [
    ...readFileSync(file, 'utf8').matchAll(/^(?:import|} from|export .* from) .*?"([^"]+)";$/gm),
  ];
  const loaded = imported.flatMap(([, name = '']) =>
    name.startsWith('.') ? loadedAtStart(join(dirname(file), name)) : [name],
  );
  return [...loaded, ...bundledIn(file)];
}

function bundledIn(file: string): string[] {
  const { sources }: { sources: string[] } = JSON.parse(readFileSync(`${file}.map`, 'utf8'));
  return sources.flatMap((source) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1] ?? []);
}
