import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..');
/** Below node_modules, so that packages are found from there. */
const FOLDER = join(ROOT, 'node_modules/.cache');
const MOST_OUTPUT_BYTES = 16 * 1024 * 1024;

/**
 * Runs a script of this folder in a process of its own, bundled as build.mjs bundles the product: of modules that are loaded one by one V8
 * makes code that is a third slower. `options` is its only argument, as JSON; returns what it prints, as JSON too.
 */
export async function runBundled<Result>(script: string, options: object): Promise<Result> {
  mkdirSync(FOLDER, { recursive: true });
  const folder = mkdtempSync(join(FOLDER, 'bench-'));
  const outfile = join(folder, `${basename(script, '.ts')}.mjs`);
  try {
    await build({
      entryPoints: [join(import.meta.dirname, script)],
      outfile,
      bundle: true,
      packages: 'external',
      format: 'esm',
      platform: 'node',
      target: 'node20',
      minifySyntax: true,
      logLevel: 'warning',
    });
    const { stdout } = await run(process.execPath, [outfile, JSON.stringify(options)], {
      maxBuffer: MOST_OUTPUT_BYTES,
    });
    const result: Result = JSON.parse(stdout);
    return result;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
