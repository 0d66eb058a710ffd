import type { Source } from '../app/open-history.ts';
import type { Config } from '../service/config/config.ts';
import type { CommandOption, Flags } from './command.ts';
import { UsageError } from './parse-command-line.ts';

/** The flag that chooses the log that is read. */
export const SOURCE_OPTION: Record<'source', CommandOption> = {
  source: {
    type: 'string',
    placeholder: 'kafka|spool',
    about: 'where events are read (kafka where brokers are configured, else the spool of this host)',
  },
};

/** Reads `--source`. Throws a `UsageError`. */
export function parseSource({ source }: Flags, { kafka }: Config): Source {
  const hasKafka = kafka.brokers.length > 0;
  const wanted = source ?? (hasKafka ? 'kafka' : 'spool');
  if (wanted !== 'kafka' && wanted !== 'spool')
    throw new UsageError(`--source: must be kafka or spool (got ${JSON.stringify(source)})`);
  if (wanted === 'kafka' && !hasKafka)
    throw new UsageError('--source kafka: no brokers are configured (KAFKA_BROKERS)');
  return wanted;
}
