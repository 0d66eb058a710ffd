import { ELASTICSEARCH } from '../provision/versions.ts';
import { startContainer } from './container.ts';
import { answersHealthy } from './elasticsearch-health.ts';
import type { ElasticsearchPart } from './elasticsearch-part.ts';
import { freePort } from './ports.ts';

/** Elasticsearch in a container, where an engine answers. */
export async function startElasticsearchContainer(): Promise<ElasticsearchPart> {
  const port = await freePort();
  const node = `http://127.0.0.1:${port}`;
  const part = await startContainer({
    image: `elasticsearch:${ELASTICSEARCH.version}`,
    port,
    environment: {
      'discovery.type': 'single-node',
      'http.port': String(port),
      'xpack.security.enabled': 'false',
      'cluster.routing.allocation.disk.threshold_enabled': 'false',
      ES_JAVA_OPTS: '-Xms512m -Xmx512m',
    },
    answers: () => answersHealthy(node),
  });
  return { ...part, node };
}
