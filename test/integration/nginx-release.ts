import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SCRIPT_FILES } from '../../nginx-setup/includes.ts';
import { renderTemplate } from '../../nginx-setup/template.ts';

const RELEASE = join(import.meta.dirname, 'release-0.1.0');
const SCRIPTS = join(import.meta.dirname, '../../dist/nginx');

export type ReleaseOptions = { dir: string; socket: string; spill: string; breaker: string };

/**
 * Writes the includes of release 0.1.0, without most of their comments, as that release did: each with its version in the last line.
 * The scripts beside them are of today.
 */
export function installRelease({ dir, ...paths }: ReleaseOptions): void {
  mkdirSync(dir, { recursive: true });
  for (const name of readdirSync(RELEASE)) {
    const values = { ...paths, dir, engine: 'njs', spillmax: '1073741824' };
    const text = renderTemplate(readFileSync(join(RELEASE, name), 'utf8'), values);
    const signed = name === 'items.conf' ? text : `${text.trimEnd()}\n# hotitem 0.1.0\n`;
    writeFileSync(join(dir, name), signed);
  }
  for (const name of SCRIPT_FILES) copyFileSync(join(SCRIPTS, name), join(dir, name));
}
