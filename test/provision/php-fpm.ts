import { debianTree } from '../../provision/debian.ts';
import { privateProgram } from '../../provision/private-program.ts';
import type { Report } from '../../provision/report.ts';
import { PHP } from './versions.ts';

export type PhpFpm = {
  version: string;
  /** php-fpm and its first arguments: without the system's php.ini. */
  command: string[];
};

/** Debian's php-fpm, unpacked privately. Throws a `ProvisionError`. */
export async function obtainPhpFpm({ report }: { report: Report }): Promise<PhpFpm> {
  const tree = await debianTree({
    suite: 'trixie',
    packages: [`php${PHP}-fpm`],
    name: `php-fpm-${PHP}`,
    what: `php-fpm ${PHP} (about 90 MB)`,
    report,
  });
  return { version: PHP, command: [...(await privateProgram(tree, `usr/sbin/php-fpm${PHP}`)), '-n'] };
}
