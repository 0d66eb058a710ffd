import type { CommandOption, Flags } from '../cli/command.ts';
import { UsageError } from '../cli/parse-command-line.ts';
import type { Config } from '../service/config/config.ts';
import type { History } from '../store/history.ts';
import { createKafkaHistory } from '../store/kafka/history.ts';
import { createRetainedHistory } from '../store/spool/retained-history.ts';
import { connectReader } from './connect-reader.ts';
import type { Core } from './core.ts';
import { cursorOf } from './spool-cursor-name.ts';

/** The flag that chooses it. */
export const HISTORY_OPTIONS: Record<'source', CommandOption> = {
  source: {
    type: 'string',
    placeholder: 'kafka|spool',
    about: 'where events are read (kafka where brokers are configured, else the spool of this host)',
  },
};

/** Where past events are read. Rejects with a `UsageError`. */
export async function openHistory(core: Core, { source }: Flags): Promise<History> {
  const { config } = core;
  const wanted = source ?? (config.kafka.brokers.length > 0 ? 'kafka' : 'spool');
  if (wanted === 'spool') return openSpoolHistory(config);
  if (wanted !== 'kafka')
    throw new UsageError(`--source: must be kafka or spool (got ${JSON.stringify(source)})`);
  if (config.kafka.brokers.length === 0)
    throw new UsageError('--source kafka: no brokers are configured (KAFKA_BROKERS)');
  const { topic, group } = config.kafka;
  return createKafkaHistory({ reader: await connectReader(core), topic, group });
}

function openSpoolHistory(config: Config): History {
  return createRetainedHistory({
    dir: config.spool.dir,
    cursor: cursorOf(config),
    node: config.node,
  });
}
