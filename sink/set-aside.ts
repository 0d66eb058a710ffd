import { reasonOf } from '../service/log.ts';
import type { DeadLetter } from '../store/dead-letters/dead-letters.ts';
import type { Batch } from '../store/event-log.ts';
import type { Quarantine } from '../store/kafka/quarantine.ts';
import { offsetsOf, recordsIn, type Undecodable } from '../store/undecodable.ts';

/**
 * Stores the bytes of a batch that cannot be decoded, if there is a quarantine with space, and returns the letter that
 * represents all of its records. Whether the bytes were stored or not, Kafka keeps them until its retention ends.
 */
export async function setAside(
  { source }: Batch,
  undecodable: Undecodable,
  quarantine: Quarantine | undefined,
): Promise<DeadLetter> {
  const offsets = offsetsOf(undecodable);
  const name = `${source.replaceAll('/', '-')}-${undecodable.first}.batch`;
  const where =
    quarantine === undefined
      ? 'its bytes are not kept, because of the privacy settings'
      : await quarantine.keep(name, undecodable.bytes).then(
          (path) => `its bytes are in ${path}`,
          (error) => `its bytes are not kept: ${reasonOf(error)}`,
        );
  const count = recordsIn(undecodable);
  return {
    value: Buffer.alloc(0),
    reason: `a batch of ${count} records cannot be decoded: ${undecodable.reason}; ${where}`,
    origin: `${source}/${offsets}`,
  };
}
