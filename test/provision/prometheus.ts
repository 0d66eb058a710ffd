import { debianTree } from '../../provision/debian.ts';
import { privateProgram } from '../../provision/private-program.ts';
import type { Report } from '../../provision/report.ts';
import { PROMETHEUS } from './versions.ts';

export type Prometheus = {
  version: string;
  /** Each with its first arguments. */
  prometheus: string[];
  promtool: string[];
};

/** Debian's Prometheus with promtool, unpacked privately. Throws a `ProvisionError`. */
export async function obtainPrometheus({ report }: { report: Report }): Promise<Prometheus> {
  const tree = await debianTree({
    suite: 'trixie',
    packages: ['prometheus', 'promtool'],
    name: `prometheus-${PROMETHEUS}`,
    what: `Prometheus ${PROMETHEUS} (about 220 MB)`,
    report,
  });
  const [prometheus, promtool] = await Promise.all([
    privateProgram(tree, 'usr/bin/prometheus'),
    privateProgram(tree, 'usr/bin/promtool'),
  ]);
  return { version: PROMETHEUS, prometheus, promtool };
}
