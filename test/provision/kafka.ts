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
  // The folder is for Kafka 3, whose log4j looks for its configuration on the class path.
  return { version, java, classpath: `${folder}/*${delimiter}${join(import.meta.dirname, 'log4j')}` };
}
