import { join } from 'node:path';
import { obtain } from './cache.ts';
import { findJava, type Java } from './java.ts';
import { unpackZip } from './maven.ts';
import type { Report } from './report.ts';
import { ELASTICSEARCH } from './versions.ts';

export type ElasticsearchBuild = {
  version: string;
  java: Java;
  /** `ES_HOME`. Never written to: configuration, data and logs lie elsewhere. */
  home: string;
};

/** Elasticsearch's minimal distribution, from Maven Central. Throws a `ProvisionError`. */
export async function obtainElasticsearch({ report }: { report: Report }): Promise<ElasticsearchBuild> {
  const { version, artifact, sha512 } = ELASTICSEARCH;
  const java = await findJava();
  const folder = await obtain({
    name: `elasticsearch-${version}`,
    what: `Elasticsearch ${version} from Maven Central (about 105 MB)`,
    report,
    make: (folder) => unpackZip({ artifact, sha512, folder }),
  });
  return { version, java, home: join(folder, `elasticsearch-${version}`) };
}
