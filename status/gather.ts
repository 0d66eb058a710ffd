import type { Core } from '../app/core.ts';
import { packageVersion } from '../service/package-version.ts';
import { askIndex } from './ask-index.ts';
import { askKafka } from './ask-kafka.ts';
import { askService } from './ask-service.ts';
import type { StatusFacts } from './facts.ts';

/** Asks all services at once. */
export async function gather(core: Core, lossesFrom: number): Promise<StatusFacts> {
  const { admin, nginx, elasticsearch } = core.config;
  const [sidecar, sink, ofKafka, index] = await Promise.all([
    askService(admin.listen, 'admin.listen'),
    core.parts.kafka ? askService(admin.sink_listen, 'admin.sink_listen') : undefined,
    askKafka(core),
    askIndex(core.config),
  ]);
  const { node, ca_file: caFile, data_stream: dataStream } = elasticsearch;
  const places = { includes: nginx.dir, node, caFile, dataStream };
  return {
    sidecar,
    sink,
    kafka: ofKafka,
    index,
    places,
    installed: packageVersion(),
    now: core.now(),
    lossesFrom,
  };
}
