import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { PACKAGE_ROOT } from '../service/package-root.ts';
import { VERSION_FILE } from './includes.ts';

const manifest = z.object({ version: z.string() });

/** What the version file of a folder of includes contains. */
export type Installed = {
  /** The version of hotitem that wrote the folder; undefined if unknown. */
  version: string | undefined;
  /** The checksum of each file as it was written, by name. */
  sums: ReadonlyMap<string, string>;
};

/** The version of this hotitem: `0.1.0`. */
export async function installedVersion(): Promise<string> {
  return manifest.parse(JSON.parse(await readFile(join(PACKAGE_ROOT, 'package.json'), 'utf8'))).version;
}

/** The version file, with the checksums of the files that are written beside it. */
export function withSums(text: string, files: readonly { name: string; text: string }[]): string {
  const lines = files.map((file) => `# sha256 ${sumOf(file.text)} ${file.name}\n`);
  return `${text.trimEnd()}\n\n${lines.join('')}`;
}

/** Reads that file; empty if there is none, as before version 0.2.0. */
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
