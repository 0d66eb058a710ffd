import { asFunction, replaceKafkajsModule } from './module.ts';

/** A record to be sent, as kafkajs passes it to its encoder. */
export type OutgoingRecord = {
  offsetDelta?: number;
  timestampDelta?: number;
  key?: Value;
  value?: Value;
  headers?: { [name: string]: Value | Value[] };
};

type Value = Buffer | string | null | undefined;

/** The fields of an encoder that kafkajs reads when it adds a record to a batch. */
type Encoded = { buf: Buffer; buffer: Buffer };

/** A module of kafkajs that is loaded with the first produce request. */
const FILE = 'protocol/recordBatch/record/v0/index';
const NO_ATTRIBUTES = 0;
/** The number of header names whose bytes are cached. */
const MOST_NAMES = 64;
const names = new Map<string, Buffer>();

/**
 * Makes kafkajs encode records with `encodeRecord`. Its own encoder creates a buffer of 512 bytes for each record and each header, and
 * several objects for each number. Call this before anything is sent.
 */
export function encodeRecordsAtOnce(): boolean {
  return replaceKafkajsModule(FILE, asFunction(encodeRecord));
}

/** Length, attributes, time, offset, key, value, headers: see "Record" in Kafka's description of its formats. */
export function encodeRecord({
  offsetDelta = 0,
  timestampDelta = 0,
  key,
  value,
  headers,
}: OutgoingRecord): Encoded {
  const [keyBytes, valueBytes] = [toBytes(key), toBytes(value)];
  const pairs = headers === undefined ? [] : pairsOf(headers);
  const count = pairs.length / 2;
  let size = 1 + sizeOf(timestampDelta) + sizeOf(offsetDelta) + sizeOf(count);
  size += sizeWith(keyBytes) + sizeWith(valueBytes);
  for (const part of pairs) size += sizeWith(part);

  const bytes = Buffer.allocUnsafe(sizeOf(size) + size);
  let at = putNumber(bytes, 0, size);
  bytes[at++] = NO_ATTRIBUTES;
  at = putNumber(bytes, at, timestampDelta);
  at = putNumber(bytes, at, offsetDelta);
  at = putBytes(bytes, at, keyBytes);
  at = putBytes(bytes, at, valueBytes);
  at = putNumber(bytes, at, count);
  for (const part of pairs) at = putBytes(bytes, at, part);
  return { buf: bytes, buffer: bytes };
}

/** Name, value, name, value, …; a name is repeated for each of its values. */
function pairsOf(headers: { [name: string]: Value | Value[] }): (Buffer | null)[] {
  const pairs: (Buffer | null)[] = [];
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    if (!Array.isArray(value)) pairs.push(nameBytes(name), toBytes(value));
    else for (const one of value) pairs.push(nameBytes(name), toBytes(one));
  }
  return pairs;
}

function nameBytes(name: string): Buffer {
  const known = names.get(name);
  if (known !== undefined) return known;
  const bytes = Buffer.from(name);
  if (names.size < MOST_NAMES) names.set(name, bytes);
  return bytes;
}

function toBytes(value: Value): Buffer | null {
  if (value === null || value === undefined) return null;
  return typeof value === 'string' ? Buffer.from(value) : value;
}

/** Zigzag: the sign goes into the last bit. Exact up to 2^52, which is beyond any time. */
function unsigned(number: number): number {
  return number < 0 ? -2 * number - 1 : 2 * number;
}

function sizeOf(number: number): number {
  let size = 1;
  for (let rest = unsigned(number); rest >= 0x80; rest = Math.floor(rest / 0x80)) size++;
  return size;
}

function sizeWith(bytes: Buffer | null): number {
  return bytes === null ? sizeOf(-1) : sizeOf(bytes.length) + bytes.length;
}

/** Writes a varint. Returns the position after it. */
function putNumber(to: Buffer, at: number, number: number): number {
  let rest = unsigned(number);
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) to[at++] = (rest % 0x80) | 0x80;
  to[at++] = rest;
  return at;
}

/** Writes bytes with a length prefix, -1 for null. Returns the position after them. */
function putBytes(to: Buffer, at: number, bytes: Buffer | null): number {
  if (bytes === null) return putNumber(to, at, -1);
  const first = putNumber(to, at, bytes.length);
  to.set(bytes, first);
  return first + bytes.length;
}
