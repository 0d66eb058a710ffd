import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { debianTree } from '../../provision/debian.ts';
import { privateProgram } from '../../provision/private-program.ts';
import type { Report } from '../../provision/report.ts';

/** The load generator wrk: the system's, else Debian's unpacked privately. Returns the program and its first arguments. */
export async function obtainWrk(report: Report): Promise<string[]> {
  const found = (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'wrk'))
    .find((path) => existsSync(path));
  if (found !== undefined) return [found];
  const tree = await debianTree({
    suite: 'trixie',
    packages: ['wrk'],
    name: 'wrk',
    what: 'wrk (about 15 MB)',
    report,
  });
  return privateProgram(tree, 'usr/bin/wrk');
}
