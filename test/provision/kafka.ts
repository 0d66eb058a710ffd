import { delimiter, join } from 'node:path';
import { obtain } from '../../provision/cache.ts';
import type { Report } from '../../provision/report.ts';
import { findJava, type Java } from './java.ts';
import { copyJars } from './maven.ts';
import { KAFKA, type KafkaVersion } from './versions.ts';

export type KafkaBuild = {
  version: KafkaVersion;
  java: Java;
  /** What follows `-cp`. */
  classpath: string;
};

/** Kafka's own jars, from Maven Central. Throws a `ProvisionError`. */
export async function obtainKafka(options: { version?: KafkaVersion; report: Report }): Promise<KafkaBuild> {
  const { version = '4.1.1', report } = options;
  const java = await findJava();
  const folder = await obtain({
    name: `kafka-${version}`,
    what: `Kafka ${version} from Maven Central (about 45 MB)`,
    report,
    make: (folder) => copyJars({ ...KAFKA[version], folder }),
  });
  const jars = `${folder}/*`;
  // Kafka 3's log4j looks for its configuration on the class path. A folder there would forbid an archive of classes.
  const log4j = version === '3.9.1' ? [join(import.meta.dirname, 'log4j')] : [];
  return { version, java, classpath: [jars, ...log4j].join(delimiter) };
}
