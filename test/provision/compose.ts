import { join } from 'node:path';
import { debianTree } from '../../provision/debian.ts';
import type { Report } from '../../provision/report.ts';
import { run } from '../../service/run.ts';

/**
 * A client of Docker Compose as a program and its first arguments: the installed one, else Debian's unpacked privately.
 * Enough for `config`, which validates a compose file without an engine. Throws a `ProvisionError`.
 */
export async function obtainCompose({ report }: { report: Report }): Promise<string[]> {
  for (const command of [['docker', 'compose'], ['docker-compose']]) {
    const [program = '', ...args] = command;
    const { code } = await run(program, [...args, 'version'], { timeoutMs: 10_000 });
    if (code === 0) return command;
  }
  const tree = await debianTree({
    suite: 'trixie',
    packages: ['docker-compose'],
    name: 'docker-compose-trixie',
    what: 'docker-compose 2.26 (about 25 MB)',
    report,
  });
  // Written in Go and linked statically: it needs no library of its tree.
  return [join(tree, 'usr/bin/docker-compose')];
}
