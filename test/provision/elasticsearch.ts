import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { obtain } from '../../provision/cache.ts';
import type { Report } from '../../provision/report.ts';
import { findJava, findNewestJava, type Java } from './java.ts';
import { unpackZip } from './maven.ts';
import { ELASTICSEARCH, type ElasticsearchDistribution } from './versions.ts';

export type ElasticsearchBuild = {
  version: string;
  java: Java;
  /** `ES_HOME`. Never written to: configuration, data and logs lie elsewhere. */
  home: string;
};

type Wanted = {
  distribution?: ElasticsearchDistribution;
  /** Whether to run it in a Java like that of its full distribution, if one is installed. */
  likeDistributed?: boolean;
  report: Report;
};

/** Elasticsearch, from Maven Central. Throws a `ProvisionError`. */
export async function obtainElasticsearch({
  distribution = ELASTICSEARCH,
  likeDistributed = false,
  report,
}: Wanted): Promise<ElasticsearchBuild> {
  const { version, artifact, megabytes, sha512, folder: only } = distribution;
  const java = await (likeDistributed ? findNewestJava() : findJava());
  const folder = await obtain({
    name: `elasticsearch-${version}`,
    what: `Elasticsearch ${version} from Maven Central (about ${megabytes} MB)`,
    report,
    make: async (folder) => {
      await unpackZip({ artifact, sha512, only, folder });
      await addScript(join(folder, only));
    },
  });
  return { version, java, home: join(folder, only) };
}

/** What `bin/elasticsearch` does, for a distribution that comes without, and no log of the garbage collector. */
async function addScript(home: string): Promise<void> {
  const script = join(home, 'bin/elasticsearch');
  if (existsSync(script)) return;
  await writeFile(script, SCRIPT, { mode: 0o755 });
  const options = join(home, 'config/jvm.options');
  await writeFile(options, (await readFile(options, 'utf8')).replace(/^-Xlog:.*$/m, ''));
}

const SCRIPT = `#!/bin/sh
ES_HOME=$(cd "$(dirname "$0")/.." && pwd)
cd "$ES_HOME" || exit 1
exec "$ES_JAVA_HOME/bin/java" -Dcli.name=server -Dcli.script="$ES_HOME/bin/elasticsearch" \\
  -Dcli.libs=lib/tools/server-cli -Des.path.home="$ES_HOME" -Des.path.conf="$ES_PATH_CONF" -Des.distribution.type=tar \\
  -cp "$ES_HOME/lib/*:$ES_HOME/lib/cli-launcher/*" org.elasticsearch.launcher.CliToolLauncher "$@"
`;
