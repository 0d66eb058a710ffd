import { EventError } from '../event/parse.ts';
import { createRedaction } from '../event/redaction.ts';
import type { Config } from '../service/config/config.ts';
import { createReadRecord, type ReadRecord } from '../sink/read-record.ts';
import type { KeptLetter } from '../store/dead-letters/box.ts';

/** Reads records as the configured sink does. */
export function recordReader({ privacy, event, sink }: Config): ReadRecord {
  const redact = createRedaction({ ip: { mode: privacy.ip, salt: privacy.ip_salt }, omit: event.omit });
  return createReadRecord({ articleTimeZone: sink.article_time_zone, redact });
}

/** What the record of a dead letter holds, as a sink reads it; or why it holds nothing. */
export function inLetter<One>(
  { value, origin, time, recorded = time }: KeptLetter,
  read: ReadRecord<One>,
): One | string {
  const slash = origin.lastIndexOf('/');
  const batch = {
    source: origin.slice(0, slash),
    values: [value],
    position: () => origin.slice(slash + 1),
    time: () => recorded,
  };
  try {
    return read(batch, 0);
  } catch (error) {
    if (!(error instanceof EventError)) throw error;
    return error.message;
  }
}
