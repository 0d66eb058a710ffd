import { join } from 'node:path';
import { setUpIndexes } from '../test/integration/set-up.ts';
import { freePort } from '../test/parts/ports.ts';
import { type Service, startService } from '../test/parts/service.ts';

export type OursOptions = {
  folder: string;
  brokers: string[];
  topic: string;
  group: string;
  node: string;
  dataStream: string;
};

/** `hotitem sink` with its defaults, its data stream set up before. */
export async function startOurs(options: OursOptions): Promise<Service> {
  const { folder, brokers, topic, group, node, dataStream } = options;
  const listen = `127.0.0.1:${await freePort()}`;
  const env = {
    KAFKA_BROKERS: brokers.join(','),
    ELASTICSEARCH_NODE: node,
    HOTITEM_KAFKA_TOPIC: topic,
    HOTITEM_KAFKA_DEAD_LETTER_TOPIC: `${topic}.dead`,
    HOTITEM_KAFKA_GROUP: group,
    HOTITEM_ELASTICSEARCH_DATA_STREAM: dataStream,
    HOTITEM_ADMIN_SINK_LISTEN: listen,
  };
  await setUpIndexes(env);
  return startService({ args: ['sink'], env, admin: listen, logFile: join(folder, `${group}.log`) });
}
