import { createRedaction } from '../event/redaction.ts';
import type { Config } from '../service/config/config.ts';
import { createReadRecord, type ReadRecord } from '../sink/read-record.ts';

/** Reads records as the configured sink does. */
export function recordReader({ privacy, event, sink }: Config): ReadRecord {
  const redact = createRedaction({ ip: { mode: privacy.ip, salt: privacy.ip_salt }, omit: event.omit });
  return createReadRecord({ articleTimeZone: sink.article_time_zone, redact });
}
