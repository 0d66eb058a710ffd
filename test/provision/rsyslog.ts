import { join } from 'node:path';
import { debianTree } from '../../provision/debian.ts';
import { libraryFolders } from '../../provision/debian-libraries.ts';
import { privateProgram } from '../../provision/private-program.ts';
import type { Report } from '../../provision/report.ts';
import { RSYSLOG } from './versions.ts';

export type Rsyslog = {
  version: string;
  /** rsyslogd and its first arguments: where its modules are. */
  command: string[];
};

/** Debian's rsyslog with its modules for Kafka and Elasticsearch, unpacked privately. Throws a `ProvisionError`. */
export async function obtainRsyslog({ report }: { report: Report }): Promise<Rsyslog> {
  const tree = await debianTree({
    suite: 'trixie',
    packages: ['rsyslog', 'rsyslog-kafka', 'rsyslog-elasticsearch'],
    name: `rsyslog-${RSYSLOG}`,
    what: `rsyslog ${RSYSLOG} (about 30 MB)`,
    report,
  });
  const modules = (await libraryFolders(tree)).map((folder) => join(folder, 'rsyslog')).join(':');
  return { version: RSYSLOG, command: [...(await privateProgram(tree, 'usr/sbin/rsyslogd')), '-M', modules] };
}
