import kafkajs from 'kafkajs';
import { replaceKafkajsModule } from './kafkajs-module.ts';

/** What of kafkajs' own decoder is used: bytes, and how far they are read. */
type Decoder = { buffer: Buffer; offset: number };

type Headers = Record<string, Buffer | null | (Buffer | null)[]>;

/** What the records of one batch have in common, as far as kafkajs asks for it. */
type BatchContext = {
  content: Buffer;
  firstOffset: number;
  firstTime: number;
  /** Of all records, where it is the broker's. */
  time: string | undefined;
  isControlBatch: boolean;
  inTransaction: boolean;
  producerId: string;
};

/** By number; there is none for 0, not compressed. */
const codecs: Record<number, (() => { decompress(bytes: Buffer): Promise<Buffer> }) | undefined> =
  kafkajs.CompressionCodecs;

/** A module of kafkajs that nobody else asks for. */
const FILE = 'protocol/recordBatch/v0/decoder';

/** Where things lie in a batch, see "Record Batch" in Kafka's description of its formats. */
const AT = { length: 8, rest: 12, attributes: 21, firstTime: 27, maxTime: 35, producerId: 43, count: 57 };
const HEAD_BYTES = 61;
const COMPRESSION = 0x07;
const TIME_OF_BROKER = 0x08;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;
/** Of the format. */
const MAGIC = 2;

/**
 * Has kafkajs decode what it fetched with `decodeBatch`: its own makes several objects and big integers of every field of a
 * record, and was half of what a sink costs. To be called before anything is fetched.
 */
export function decodeRecordsLate(): void {
  replaceKafkajsModule(FILE, decodeBatch);
}

/**
 * The records of the batch at which `fetched` stands, which stands behind it then. Rejects with the name that kafkajs looks for
 * where the end of the batch is missing, which is no fault: Kafka cuts off what it sends.
 */
export async function decodeBatch(fetched: Decoder): Promise<{ records: FetchedRecord[] }> {
  const bytes = fetched.buffer.subarray(fetched.offset);
  const end = AT.rest + bytes.readInt32BE(AT.length);
  fetched.offset += end;
  if (end > bytes.length)
    throw Object.assign(new Error('the end of a batch is missing'), { name: 'KafkaJSPartialMessageError' });
  const attributes = bytes.readInt16BE(AT.attributes);
  const rest = bytes.subarray(HEAD_BYTES, end);
  const codec = codecs[attributes & COMPRESSION]?.();
  const batch: BatchContext = {
    content: codec === undefined ? rest : await codec.decompress(rest),
    firstOffset: Number(bytes.readBigInt64BE(0)),
    firstTime: Number(bytes.readBigInt64BE(AT.firstTime)),
    time: attributes & TIME_OF_BROKER ? String(bytes.readBigInt64BE(AT.maxTime)) : undefined,
    isControlBatch: (attributes & CONTROL) !== 0,
    inTransaction: (attributes & TRANSACTIONAL) !== 0,
    producerId: String(bytes.readBigInt64BE(AT.producerId)),
  };
  return { records: decodeRecords(batch, bytes.readInt32BE(AT.count)) };
}

function decodeRecords(batch: BatchContext, count: number): FetchedRecord[] {
  const { content } = batch;
  const cursor = createCursor(content, 0);
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

/**
 * A record as kafkajs hands it out. Most of it is made when somebody asks, and nobody asks most records. A class because
 * there are tens of thousands of them, with getters.
 */
class FetchedRecord {
  readonly magicByte = MAGIC;
  readonly attributes: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly batchContext: BatchContext;
  private readonly timeDelta: number;
  private readonly offsetDelta: number;
  private readonly headersAt: number;

  constructor(batch: BatchContext, cursor: Cursor) {
    this.batchContext = batch;
    this.attributes = cursor.byte();
    this.timeDelta = cursor.varint();
    this.offsetDelta = cursor.varint();
    this.key = cursor.bytes();
    this.value = cursor.bytes();
    this.headersAt = cursor.at();
  }

  get offset(): string {
    return String(this.batchContext.firstOffset + this.offsetDelta);
  }

  get timestamp(): string {
    const { time, firstTime } = this.batchContext;
    return time ?? String(firstTime + this.timeDelta);
  }

  get isControlRecord(): boolean {
    return this.batchContext.isControlBatch;
  }

  /** A name that comes several times has all of its values. */
  get headers(): Headers {
    const { content } = this.batchContext;
    const cursor = createCursor(content, this.headersAt);
    // Without a prototype: a header may have any name.
    const headers: Headers = Object.create(null);
    for (let left = cursor.varint(); left > 0; left--) {
      // A number that is not true would have it read nothing billions of times.
      if (cursor.at() >= content.length) throw new Error('the headers of a record are damaged');
      const name = String(cursor.bytes() ?? '');
      const value = cursor.bytes();
      const before = headers[name];
      headers[name] = before === undefined ? value : [before, value].flat();
    }
    return headers;
  }
}

/** Reads bytes, and numbers of Kafka's variable length. */
type Cursor = {
  at(): number;
  moveTo(at: number): void;
  byte(): number;
  /** Exact up to 2^53, which no offset and no time reaches. */
  varint(): number;
  /** With their length before them; null for a length of -1. */
  bytes(): Buffer | null;
};

function createCursor(content: Buffer, from: number): Cursor {
  let at = from;
  return {
    at: () => at,
    moveTo(to) {
      at = to;
    },
    byte,
    varint,
    bytes() {
      const length = varint();
      if (length < 0) return null;
      at += length;
      return content.subarray(at - length, at);
    },
  };

  function byte(): number {
    return content[at++] ?? 0;
  }

  function varint(): number {
    let last = byte();
    let number = last & 0x7f;
    for (let unit = 0x80; last >= 0x80; unit *= 0x80) {
      last = byte();
      number += (last & 0x7f) * unit;
    }
    // Zigzag: the sign is in the last bit.
    return number % 2 === 0 ? number / 2 : -(number + 1) / 2;
  }
}
