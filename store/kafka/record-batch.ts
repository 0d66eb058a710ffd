import { crc32c } from '../codecs/crc32c.ts';
import type { Undecodable } from '../undecodable.ts';

/** Offsets in a batch, see "Record Batch" in Kafka's protocol documentation. */
export const AT = {
  firstOffset: 0,
  length: 8,
  rest: 12,
  magic: 16,
  checksum: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  firstTime: 27,
  maxTime: 35,
  producerId: 43,
  count: 57,
} as const;
export const HEAD_BYTES = 61;
export const ATTRIBUTE = { codec: 0x07, timeOfBroker: 0x08, transactional: 0x10, control: 0x20 } as const;
/** Version of the format. */
export const MAGIC = 2;
/** Maximum of a Date. */
const LATEST_TIME = 8_640_000_000_000_000n;

/** A batch with a valid checksum, or one that cannot be decoded. */
export type FetchedBatch = { bytes: Buffer; undecodable?: Undecodable };

/**
 * The complete batches in what was fetched from a partition: Kafka truncates its responses. Clients do not check the checksum, so a damaged
 * batch would stop all partitions, or yield a wrong event.
 */
export function* batchesIn(fetched: Buffer): Generator<FetchedBatch> {
  for (let at = 0; at + HEAD_BYTES <= fetched.length; ) {
    const end = at + AT.rest + fetched.readInt32BE(at + AT.length);
    const isCut = end > fetched.length;
    // Kafka sends at least one complete batch, however large it is.
    if (isCut && at > 0) return;
    if (isCut || end < at + HEAD_BYTES) {
      // It is unknown where the next one begins.
      const bytes = fetched.subarray(at);
      yield { bytes, undecodable: toUndecodable(bytes, 'its length is wrong') };
      return;
    }
    const bytes = fetched.subarray(at, end);
    const reason = whyNot(bytes);
    yield reason === undefined
      ? { bytes }
      : { bytes, undecodable: toUndecodable(bytes, reason, fetched.subarray(end)) };
    at = end;
  }
}

/** `next`: what was fetched after the batch. The bytes are copied, because they outlive the response. */
export function toUndecodable(bytes: Buffer, reason: string, next: Buffer = Buffer.alloc(0)): Undecodable {
  const first = bytes.readBigInt64BE(AT.firstOffset);
  return { first, last: lastOf(bytes, next), reason, bytes: Buffer.from(bytes) };
}

/** The latest timestamp in a batch, ms since 1970, if it is plausible; otherwise -1, Kafka's value for no timestamp. */
export function timeOf(bytes: Buffer): bigint {
  const time = bytes.length < HEAD_BYTES ? -1n : bytes.readBigInt64BE(AT.maxTime);
  return time < 0n || time > LATEST_TIME ? -1n : time;
}

function whyNot(bytes: Buffer): string | undefined {
  const magic = bytes.readInt8(AT.magic);
  if (magic !== MAGIC) return `its format, number ${magic}, is unknown`;
  if (bytes.readUInt32BE(AT.checksum) !== crc32c(bytes.subarray(AT.attributes)))
    return 'its checksum is wrong';
  return undefined;
}

/** The last offset may be damaged as well. It is trusted if the number of records or the next batch confirms it. */
function lastOf(bytes: Buffer, next: Buffer): bigint {
  const first = bytes.readBigInt64BE(AT.firstOffset);
  if (bytes.length < HEAD_BYTES) return first;
  const delta = bytes.readInt32BE(AT.lastOffsetDelta);
  const isWhole = whyNot(bytes) === undefined;
  if (delta >= 0 && (isWhole || bytes.readInt32BE(AT.count) === delta + 1)) return first + BigInt(delta);
  const following = next.length < HEAD_BYTES ? first : next.readBigInt64BE(AT.firstOffset) - 1n;
  return following > first ? following : first;
}
