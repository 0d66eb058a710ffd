import type { Connection, Reader, RecordsBatch } from '@platformatic/kafka';
import { reasonOf } from '../../../service/log.ts';
import { unpack } from '../../codecs/unpack.ts';
import { placeholderFor, type Undecodable } from '../../undecodable.ts';
import { type AnswerRoom, createAnswerRoom, refuseTooMany } from '../answer-room.ts';
import { AT, ATTRIBUTE, batchesIn, MAGIC, timeOf, toUndecodable } from '../record-batch.ts';

type Library = typeof import('@platformatic/kafka');
type Partition = Awaited<
  ReturnType<Library['fetchV17']['api']['async']>
>['responses'][number]['partitions'][number];
type SendParameters = Parameters<Connection['send']>;

/** Of the protocol. */
const FETCH = { key: 1, oldest: 12, newest: 17, withTopicIds: 13 };
const CODECS = { gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;

let isReplaced = false;

/**
 * Replaces the response parser of @platformatic/kafka by `parseFetched`, in the whole process: its own verifies no checksum, supports zstd
 * only if Node does, decompresses without limits, and fails all partitions if it cannot read one batch. Must be called before the first
 * fetch. Versions of Fetch that 1.35 does not have are not changed.
 */
export function checkBatches(library: Library): void {
  if (isReplaced) return;
  isReplaced = true;
  for (const [name, codec] of Object.entries(CODECS)) {
    const decompressSync = (bytes: Buffer | { buffer: Buffer }) => unpack(codec, toBuffer(bytes));
    Object.assign(library.compressionsAlgorithms[name as keyof typeof CODECS], { decompressSync });
  }
  const { prototype } = library.Connection;
  const original = prototype.send;
  Object.assign(prototype, {
    send(this: Connection, ...parameters: SendParameters): void {
      const [key, version, createPayload, parser, ...rest] = parameters;
      const isKnown = key === FETCH.key && version >= FETCH.oldest && version <= FETCH.newest;
      original.call(this, key, version, createPayload, isKnown ? parse : parser, ...rest);
    },
  });

  function parse(_id: number, key: number, version: number, reader: Reader): unknown {
    return parseFetched(library, { key, version, reader });
  }
}

/** See "Fetch Response" in Kafka's protocol description: versions 12 to 17 differ in how they name topics. */
function parseFetched(
  library: Library,
  { key, version, reader }: { key: number; version: number; reader: Reader },
): unknown {
  const errors: Record<string, [number, null]> = {};
  const room = createAnswerRoom();
  const throttleTimeMs = reader.readInt32();
  const errorCode = note('', reader.readInt16());
  const sessionId = reader.readInt32();
  const responses = reader.readArray((r, topic) => ({
    topicId: version < FETCH.withTopicIds ? r.readString() : r.readUUID(),
    partitions: r.readArray((p, at) => {
      const partition = readPartition(library, p, room);
      note(`/responses/${topic}/partitions/${at}`, partition.errorCode);
      return partition;
    }),
  }));
  const response = { throttleTimeMs, errorCode, sessionId, responses };
  if (Object.keys(errors).length > 0) throw new library.ResponseError(key, version, errors, response);
  return response;

  function note(where: string, code: number): number {
    if (code !== 0) errors[where] = [code, null];
    return code;
  }
}

function readPartition(library: Library, reader: Reader, room: AnswerRoom): Partition {
  const partition: Partition = {
    partitionIndex: reader.readInt32(),
    errorCode: reader.readInt16(),
    highWatermark: reader.readInt64(),
    lastStableOffset: reader.readInt64(),
    logStartOffset: reader.readInt64(),
    abortedTransactions: reader.readArray((r) => ({ producerId: r.readInt64(), firstOffset: r.readInt64() })),
    preferredReadReplica: reader.readInt32(),
  };
  // Stored as length + 1, as everywhere in the newer protocol.
  const size = reader.readUnsignedVarInt() - 1;
  if (size <= 0) return partition;
  const fetched = reader.buffer.slice(reader.position, reader.position + size);
  partition.records = readBatches(library, fetched, room);
  reader.skip(size);
  return partition;
}

function readBatches(library: Library, fetched: Buffer, room: AnswerRoom): RecordsBatch[] {
  const batches: RecordsBatch[] = [];
  for (const { bytes, undecodable } of batchesIn(fetched)) {
    if (!room.isLeft()) break;
    const batch = undecodable === undefined ? readBatch(library, bytes) : toPlaceholder(undecodable);
    batches.push(batch);
    const { records } = batch;
    room.take(
      records.reduce((sum, { length }) => sum + length, 0),
      records.length,
    );
  }
  return batches;
}

function readBatch(library: Library, bytes: Buffer): RecordsBatch {
  try {
    refuseTooMany(bytes);
    const batch = library.readRecordsBatch(library.Reader.from(bytes));
    if (batch.attributes & ATTRIBUTE.timeOfBroker) {
      for (const record of batch.records) record.timestampDelta = batch.maxTimestamp - batch.firstTimestamp;
    }
    return batch;
  } catch (error) {
    return toPlaceholder(toUndecodable(bytes, reasonOf(error)));
  }
}

/** A batch of one record that stands in for its last one. */
function toPlaceholder(undecodable: Undecodable): RecordsBatch {
  const { first, last, bytes } = undecodable;
  const delta = Number(last - first);
  const time = timeOf(bytes);
  return {
    firstOffset: first,
    length: bytes.length - AT.rest,
    partitionLeaderEpoch: -1,
    magic: MAGIC,
    crc: 0,
    attributes: 0,
    lastOffsetDelta: delta,
    firstTimestamp: time,
    maxTimestamp: time,
    producerId: -1n,
    producerEpoch: -1,
    firstSequence: -1,
    records: [
      {
        length: bytes.length,
        attributes: 0,
        timestampDelta: 0n,
        offsetDelta: delta,
        key: null,
        value: placeholderFor(undecodable),
        headers: [],
      },
    ],
  };
}

function toBuffer(bytes: Buffer | { buffer: Buffer }): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : bytes.buffer;
}
