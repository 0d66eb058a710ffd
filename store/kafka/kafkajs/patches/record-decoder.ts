import { giveWay } from '../../../../service/give-way.ts';
import { reasonOf } from '../../../../service/log.ts';
import { unpackLater } from '../../../codecs/unpack.ts';
import { placeholderFor, type Undecodable, undecodableIn } from '../../../undecodable.ts';
import { type AnswerRoom, createAnswerRoom, refuseTooMany } from '../../answer-room.ts';
import { AT, ATTRIBUTE, batchesIn, HEAD_BYTES, MAGIC, timeOf, toUndecodable } from '../../record-batch.ts';
import { replaceKafkajsModule } from './module.ts';

/** The fields of kafkajs' own decoder that are used here: the bytes, and the position in them. */
type Decoder = { buffer: Buffer; offset: number };

type Headers = Record<string, Buffer | null | (Buffer | null)[]>;

/** The properties that all records of a batch share, as far as kafkajs reads them. */
type BatchContext = {
  content: Buffer;
  firstOffset: number;
  firstTime: number;
  /** The time of all records, if the broker sets it. */
  time: string | undefined;
  isControlBatch: boolean;
  inTransaction: boolean;
  producerId: string;
};

/** Decodes the part of a response that belongs to one partition. */
type DecodeMessages = (answer: Decoder) => Promise<Fetched[]>;

/** Only kafkajs' fetch responses import this module. */
const FILE = 'protocol/requests/fetch/v4/decodeMessages';
const SIZE_BYTES = 4;

/**
 * Makes kafkajs decode fetched records with `decodeMessages`. Its own decoder creates several objects and big integers for every field of
 * a record, which was half of a sink's cost, verifies no checksum, and fails all partitions if it cannot read one batch. Call this before
 * the first fetch.
 */
export function decodeRecordsLate(): boolean {
  return replaceKafkajsModule<DecodeMessages>(FILE, (original) =>
    typeof original === 'function' ? createDecodeMessages(original) : undefined,
  );
}

/** Messages from before Kafka 0.11 are decoded by `ofKafkajs`. */
export function createDecodeMessages(ofKafkajs: DecodeMessages): DecodeMessages {
  /** Limits by response; kafkajs decodes each partition of a response separately. */
  const rooms = new WeakMap<Buffer, AnswerRoom>();
  return async (answer) => {
    const from = answer.offset + SIZE_BYTES;
    const to = from + answer.buffer.readInt32BE(answer.offset);
    const fetched = answer.buffer.subarray(from, to);
    const isOld = fetched.length > AT.magic && fetched.readUInt8(AT.magic) < MAGIC;
    if (isOld || to <= from || to > answer.buffer.length) return ofKafkajs(answer);
    answer.offset = to;
    const room = rooms.get(answer.buffer) ?? createAnswerRoom();
    rooms.set(answer.buffer, room);
    return decodeFetched(fetched, room);
  };
}

/** The records of the batches fetched from a partition; one record represents a batch that cannot be decoded. */
async function decodeFetched(fetched: Buffer, room: AnswerRoom): Promise<Fetched[]> {
  const records: Fetched[] = [];
  for (const { bytes, undecodable } of batchesIn(fetched)) {
    if (!room.isLeft()) break;
    const some = undecodable === undefined ? await decodeBatch(bytes) : [toPlaceholder(undecodable)];
    for (const record of some) records.push(record);
    room.take(some[0]?.batchContext.content.length ?? 0, some.length);
  }
  return records;
}

async function decodeBatch(bytes: Buffer): Promise<Fetched[]> {
  try {
    refuseTooMany(bytes);
    const attributes = bytes.readInt16BE(AT.attributes);
    const packed = bytes.subarray(HEAD_BYTES);
    const content = await unpackLater(attributes & ATTRIBUTE.codec, packed, giveWay);
    const batch: BatchContext = {
      content,
      firstOffset: Number(bytes.readBigInt64BE(AT.firstOffset)),
      firstTime: Number(bytes.readBigInt64BE(AT.firstTime)),
      time: attributes & ATTRIBUTE.timeOfBroker ? String(bytes.readBigInt64BE(AT.maxTime)) : undefined,
      isControlBatch: (attributes & ATTRIBUTE.control) !== 0,
      inTransaction: (attributes & ATTRIBUTE.transactional) !== 0,
      producerId: String(bytes.readBigInt64BE(AT.producerId)),
    };
    return decodeRecords(batch, bytes.readInt32BE(AT.count));
  } catch (error) {
    return [toPlaceholder(toUndecodable(bytes, reasonOf(error)))];
  }
}

/** A record in place of the batch, at its last offset: the next fetch continues after it. */
function toPlaceholder(undecodable: Undecodable): Fetched {
  const { first, last, bytes } = undecodable;
  const time = timeOf(bytes);
  return {
    magicByte: MAGIC,
    attributes: 0,
    key: null,
    value: placeholderFor(undecodable),
    offset: String(last),
    timestamp: String(time),
    headers: {},
    isControlRecord: false,
    batchContext: {
      content: bytes,
      firstOffset: Number(first),
      firstTime: Number(time),
      time: String(time),
      isControlBatch: false,
      inTransaction: false,
      producerId: '-1',
    },
  };
}

function decodeRecords(batch: BatchContext, count: number): FetchedRecord[] {
  const { content } = batch;
  const cursor = new Cursor(content, 0);
  const records: FetchedRecord[] = [];
  for (let i = 0; i < count; i++) {
    const length = cursor.varint();
    const end = cursor.at() + length;
    if (length < 0 || end > content.length) throw new Error(`record ${i} of a batch is damaged`);
    records.push(new FetchedRecord(batch, cursor));
    cursor.moveTo(end);
  }
  return records;
}

/** The properties of a record that kafkajs and this project read. */
type Fetched = Pick<FetchedRecord, keyof FetchedRecord>;

/**
 * A record as kafkajs returns it. It holds only its position in the bytes of its batch. All fields are decoded there when they are read:
 * most never are, and values become garbage quickly. A class with getters, because there are tens of thousands of records.
 */
class FetchedRecord {
  readonly magicByte = MAGIC;
  readonly batchContext: BatchContext;
  private readonly at: number;
  private readonly offsetDelta: number;
  private readonly keyAt: number;

  constructor(batch: BatchContext, cursor: Cursor) {
    this.batchContext = batch;
    this.at = cursor.at();
    cursor.moveTo(this.at + 1);
    cursor.varint();
    this.offsetDelta = cursor.varint();
    this.keyAt = cursor.at();
  }

  get attributes(): number {
    return this.batchContext.content[this.at] ?? 0;
  }

  get offset(): string {
    return String(this.batchContext.firstOffset + this.offsetDelta);
  }

  get timestamp(): string {
    const { content, time, firstTime } = this.batchContext;
    return time ?? String(firstTime + new Cursor(content, this.at + 1).varint());
  }

  get isControlRecord(): boolean {
    return this.batchContext.isControlBatch;
  }

  get key(): Buffer | null {
    return new Cursor(this.batchContext.content, this.keyAt).bytes();
  }

  get value(): Buffer | null {
    const cursor = new Cursor(this.batchContext.content, this.keyAt);
    cursor.skip();
    return cursor.bytes();
  }

  /** A repeated name has an array of all its values. */
  get headers(): Headers {
    const { content } = this.batchContext;
    const cursor = new Cursor(content, this.keyAt);
    cursor.skip();
    cursor.skip();
    // No prototype: a header may have any name.
    const headers: Headers = Object.create(null);
    for (let left = cursor.varint(); left > 0; left--) {
      // A wrong count could make this loop billions of times over nothing.
      if (cursor.at() >= content.length) throw new Error('the headers of a record are damaged');
      const name = String(cursor.bytes() ?? '');
      const value = cursor.bytes();
      const before = headers[name];
      if (Array.isArray(before)) before.push(value);
      else headers[name] = before === undefined ? value : [before, value];
    }
    return headers;
  }
}

/** The undecodable batch that a placeholder record represents. Does not decode the value of other records. */
export function undecodableOf(record: { value: Buffer | null } | undefined): Undecodable | undefined {
  return record instanceof FetchedRecord ? undefined : undecodableIn(record?.value);
}

/** The decompressed size of a record's batch, which stays in memory as long as any of its records. */
export function unpackedSizeOf(record: object | undefined): number {
  return record instanceof FetchedRecord ? record.batchContext.content.length : 0;
}

/**
 * Reads bytes and varints. A class, because one is created for each value.
 */
class Cursor {
  private readonly content: Buffer;
  private next: number;

  constructor(content: Buffer, from: number) {
    this.content = content;
    this.next = from;
  }

  at(): number {
    return this.next;
  }

  moveTo(at: number): void {
    this.next = at;
  }

  /** Exact up to 2^53, which is beyond any offset or time. */
  varint(): number {
    let last = this.byte();
    let number = last & 0x7f;
    for (let unit = 0x80; last >= 0x80; unit *= 0x80) {
      last = this.byte();
      number += (last & 0x7f) * unit;
    }
    // Zigzag: the sign is in the last bit.
    return number % 2 === 0 ? number / 2 : -(number + 1) / 2;
  }

  /** Reads bytes with a length prefix; null for a length of -1. */
  bytes(): Buffer | null {
    const length = this.varint();
    if (length < 0) return null;
    this.next += length;
    return this.content.subarray(this.next - length, this.next);
  }

  /** Skips what `bytes` would return. */
  skip(): void {
    const length = this.varint();
    if (length > 0) this.next += length;
  }

  private byte(): number {
    return this.content[this.next++] ?? 0;
  }
}
