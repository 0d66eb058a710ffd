import type { Config } from '../service/config/config.ts';
import type { History } from '../store/history.ts';
import { createKafkaHistory } from '../store/kafka/history.ts';
import { createRetainedHistory } from '../store/spool/retained-history.ts';
import { connectReader } from './connect-kafka.ts';
import type { Core } from './core.ts';
import { partsOf } from './parts.ts';

/** Which log to read. */
export type Source = 'kafka' | 'spool';

/** Opens the log of past events. */
export async function openHistory(core: Core, source: Source): Promise<History> {
  const { config } = core;
  if (source === 'spool') return openSpoolHistory(config);
  const { topic, group } = config.kafka;
  return createKafkaHistory({ reader: await connectReader(core), topic, group });
}

function openSpoolHistory(config: Config): History {
  return createRetainedHistory({
    dir: config.spool.dir,
    cursor: partsOf(config).cursor,
    node: config.node,
  });
}
