import type { Client } from '@elastic/elasticsearch';
import * as z from 'zod';
import { IndexUnavailable } from '../event-index.ts';
import { readAnswer } from './answer.ts';

const caps = z.object({ fields: z.record(z.string(), z.record(z.string(), z.object({}))) });

/**
 * Throws an `IndexUnavailable` if a field is not a keyword in the whole data stream. A search for an unmapped field finds nothing, without
 * an error, as if there were no events.
 */
export async function requireField(client: Client, dataStream: string, field: string): Promise<void> {
  const answer = await client.fieldCaps({ index: dataStream, fields: [field], include_unmapped: true });
  const types = Object.keys(
    readAnswer(caps, answer, `the mapping of ${field}`).fields[field] ?? { unmapped: {} },
  );
  const others = types.filter((type) => type !== 'keyword');
  if (others.length === 0) return;
  throw new IndexUnavailable(
    `${field} is ${others.join(' and ')} in the data stream ${dataStream}, and not a keyword: \`hotitem setup\` says which template applies`,
    { why: 'refused' },
  );
}
