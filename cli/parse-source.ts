import type { Source } from '../app/open-history.ts';
import type { Parts } from '../app/parts.ts';
import type { CommandOption, Flags } from './command.ts';
import { UsageError } from './parse-command-line.ts';

/** The flag that selects the log to read. */
export const SOURCE_OPTION: Record<'source', CommandOption> = {
  source: {
    type: 'string',
    placeholder: 'kafka|spool',
    about: 'where to read events (kafka if brokers are configured, else the spool of this host)',
  },
};

/** Reads `--source`. Throws a `UsageError`. */
export function parseSource({ source }: Flags, { kafka }: Parts): Source {
  const wanted = source ?? (kafka ? 'kafka' : 'spool');
  if (wanted !== 'kafka' && wanted !== 'spool')
    throw new UsageError(`--source: must be kafka or spool (got ${JSON.stringify(source)})`);
  if (wanted === 'kafka' && !kafka)
    throw new UsageError('--source kafka: no brokers are configured (KAFKA_BROKERS)');
  return wanted;
}
