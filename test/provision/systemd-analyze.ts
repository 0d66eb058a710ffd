import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { debianTree } from '../../provision/debian.ts';
import { libraryFolders, loaderOf } from '../../provision/debian-libraries.ts';
import type { Report } from '../../provision/report.ts';
import { run } from '../../service/run.ts';

/**
 * systemd-analyze as a program and its first arguments: the installed one, else Debian's unpacked privately. It reads units and needs no
 * systemd that runs. Throws a `ProvisionError`.
 */
export async function obtainSystemdAnalyze({ report }: { report: Report }): Promise<string[]> {
  const installed = ['systemd-analyze'];
  if ((await run('systemd-analyze', ['--version'], { timeoutMs: 10_000 })).code === 0) return installed;
  const tree = await debianTree({
    suite: 'bookworm',
    packages: ['systemd'],
    name: 'systemd-bookworm',
    what: 'systemd-analyze (about 60 MB)',
    report,
  });
  const libraries = await libraryFolders(tree);
  const own = await Promise.all(
    libraries.map(async (folder) =>
      (await readdir(folder)).includes('systemd') ? [join(folder, 'systemd')] : [],
    ),
  );
  const path = [...libraries, ...own.flat()].join(':');
  return [await loaderOf(libraries), '--library-path', path, join(tree, 'usr/bin/systemd-analyze')];
}
