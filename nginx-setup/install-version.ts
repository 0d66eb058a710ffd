import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { PACKAGE_ROOT } from '../service/package-root.ts';
import { VERSION_FILE } from './includes.ts';

const manifest = z.object({ version: z.string() });

/** What a folder of includes says of itself. */
export type Installed = {
  /** Which hotitem wrote it; undefined where it does not say. */
  version: string | undefined;
  /** The sum of each file as it was written, by name. */
  sums: ReadonlyMap<string, string>;
};

/** The version of this hotitem: `0.1.0`. */
export async function installedVersion(): Promise<string> {
  return manifest.parse(JSON.parse(await readFile(join(PACKAGE_ROOT, 'package.json'), 'utf8'))).version;
}

/** The file that carries the version, with the sums of the files that are written beside it. */
export function withSums(text: string, files: readonly { name: string; text: string }[]): string {
  const lines = files.map((file) => `# sha256 ${sumOf(file.text)} ${file.name}\n`);
  return `${text.trimEnd()}\n\n${lines.join('')}`;
}

/** What that file says; nothing where there is none, as before version 0.2.0. */
export async function readInstalled(dir: string): Promise<Installed> {
  const text = await readFile(join(dir, VERSION_FILE), 'utf8').catch(() => '');
  const sums = [...text.matchAll(/^# sha256 ([0-9a-f]{64}) (\w[\w.-]*)$/gm)];
  return {
    version: /^\s*default "(\d[^"]*)";/m.exec(text)?.[1],
    sums: new Map(sums.map(([, sum = '', name = '']) => [name, sum])),
  };
}

/** Whether a file is as hotitem wrote it; undefined if unknown. */
export function isEdited({ sums }: Installed, name: string, text: string): boolean | undefined {
  const sum = sums.get(name);
  return sum === undefined ? undefined : sum !== sumOf(text);
}

function sumOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
