import type { Client } from '@elastic/elasticsearch';
import * as z from 'zod';
import { IndexUnavailable } from '../event-index.ts';
import { readAnswer } from './answer.ts';
import { indexIn, reasonIn } from './client.ts';

const caps = z.object({ fields: z.record(z.string(), z.record(z.string(), z.object({}))) });
/** What Elasticsearch says where it cannot sort. */
const NOT_SORTED = /^No mapping found for \[(.+)\] in order to sort on$/;

/**
 * Throws an `IndexUnavailable` if a field is not a keyword in the whole data stream. A search for an unmapped field finds nothing, without
 * an error, as if there were no events.
 */
export async function requireKeyword(client: Client, dataStream: string, field: string): Promise<void> {
  const answer = await client.fieldCaps({ index: dataStream, fields: [field], include_unmapped: true });
  const types = Object.keys(
    readAnswer(caps, answer, `the mapping of ${field}`).fields[field] ?? { unmapped: {} },
  );
  const others = types.filter((type) => type !== 'keyword');
  if (others.length > 0)
    throw unfit(field, `${others.join(' and ')} in the data stream ${dataStream}, and not a keyword`);
}

/** The error where a search was to be sorted by a field that an index does not have; any other error unchanged. */
export function toUnmapped(error: unknown, dataStream: string): unknown {
  const field = NOT_SORTED.exec(reasonIn(error) ?? '')?.[1];
  if (field === undefined) return error;
  return unfit(field, `unmapped in the data stream ${dataStream} (${indexIn(error) ?? 'an index'})`);
}

function unfit(field: string, what: string): IndexUnavailable {
  const message = `${field} is ${what}: \`hotitem setup\` says which template applies`;
  return new IndexUnavailable(message, { why: 'refused' });
}
