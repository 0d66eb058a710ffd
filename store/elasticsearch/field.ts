import type { Client } from '@elastic/elasticsearch';
import * as z from 'zod';
import { IndexUnavailable } from '../event-index.ts';
import { readAnswer } from './answer.ts';

const caps = z.object({ fields: z.record(z.string(), z.record(z.string(), z.object({}))) });

const FITTING = {
  keyword: ['keyword'],
  number: ['byte', 'short', 'integer', 'long', 'half_float', 'float', 'scaled_float', 'double'],
} as const;
export type Fitting = keyof typeof FITTING;

/**
 * Throws an `IndexUnavailable` if a field is not a keyword, or no number, in the whole data stream. A search for an unmapped field finds nothing,
 * without an error, as if there were no events; its sum is 0.
 */
export async function requireField(
  client: Client,
  dataStream: string,
  field: string,
  as: Fitting,
): Promise<void> {
  const answer = await client.fieldCaps({ index: dataStream, fields: [field], include_unmapped: true });
  const types = Object.keys(
    readAnswer(caps, answer, `the mapping of ${field}`).fields[field] ?? { unmapped: {} },
  );
  const others = types.filter((type) => !FITTING[as].some((fitting) => fitting === type));
  if (others.length === 0) return;
  throw new IndexUnavailable(
    `${field} is ${others.join(' and ')} in the data stream ${dataStream}, and not a ${as}: \`hotitem setup\` says which template applies`,
    { why: 'refused' },
  );
}
