import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { PACKAGE_ROOT } from '../service/package-root.ts';

const manifest = z.object({ version: z.string() });

/** The version of this hotitem: `0.1.0`. */
export async function installedVersion(): Promise<string> {
  return manifest.parse(JSON.parse(await readFile(join(PACKAGE_ROOT, 'package.json'), 'utf8'))).version;
}

/** An include as it is installed: its last line says which hotitem wrote it. */
export function signInclude(text: string, version: string): string {
  return `${text.trimEnd()}\n# hotitem ${version}\n`;
}

/** Which hotitem wrote an include, by its comments; undefined where it does not say. */
export function signerOf(comments: readonly string[]): string | undefined {
  return /^hotitem (\d\S*)$/.exec(comments.at(-1) ?? '')?.[1];
}
