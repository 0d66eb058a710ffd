import { createRequire } from 'node:module';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { temporaryFolder } from './guard.ts';

/** Contains binaries, which it finds beside itself. */
const DUCKDB = '@duckdb/node-bindings';
const PATH_OF_DUCKDB = createRequire(import.meta.url).resolve(DUCKDB);

const bundles = new Map<string, string>();

/**
 * The script with all that it imports in one file that Node runs as it is, for a test that starts it many times: by tsx, each start
 * would cost half a second.
 */
export function bundleScript(script: string): string {
  const known = bundles.get(script);
  if (known !== undefined) return known;
  const outfile = join(temporaryFolder('script').path, 'script.mjs');
  buildSync({
    entryPoints: [script],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    alias: { [DUCKDB]: PATH_OF_DUCKDB },
    external: [PATH_OF_DUCKDB],
    // For packages that are CommonJS.
    banner: {
      js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
    },
  });
  bundles.set(script, outfile);
  return outfile;
}
