import { crc32 } from 'node:zlib';
import { SpoolError } from './error.ts';

/** The version of the format that is written, and the newest that can be read. */
export const FORMAT = 1;
export const HEADER_BYTES = 32;
/** Largest payload of a record, and so the largest event including its newline. */
export const MAX_PAYLOAD_BYTES = 1024 * 1024;
export const MAX_RECORD_BYTES: number = HEADER_BYTES + MAX_PAYLOAD_BYTES;
/** 0xff occurs nowhere in UTF-8, so no event can look like the start of a record. */
export const MAGIC: Buffer = Buffer.from([0xff, 0x48, 0x53, 0x50]);

const AT = { crc: 4, version: 8, received: 10, sequence: 16, count: 24, length: 28 } as const;

export type SpoolRecord = {
  /** Sequence of the first event. */
  sequence: number;
  count: number;
  /** When it was received, ms since 1970. */
  received: number;
  /** The events, each ended by a newline. */
  payload: Buffer;
};

export type Unwritten = {
  sequence: number;
  received: number;
  /** The payload, in parts. */
  pieces: Buffer[];
  /** Total length of the parts. */
  bytes: number;
  count: number;
};

/** Writes a record into `buffer` at `at`, and returns its end. */
export function writeRecord(buffer: Buffer, at: number, record: Unwritten): number {
  const { sequence, received, pieces, count, bytes } = record;
  const end = at + HEADER_BYTES + bytes;
  let pieceAt = at + HEADER_BYTES;
  for (const piece of pieces) pieceAt += piece.copy(buffer, pieceAt);
  MAGIC.copy(buffer, at);
  buffer.writeUInt16BE(FORMAT, at + AT.version);
  buffer.writeUIntBE(received, at + AT.received, 6);
  buffer.writeBigUInt64BE(BigInt(sequence), at + AT.sequence);
  buffer.writeUInt32BE(count, at + AT.count);
  buffer.writeUInt32BE(bytes, at + AT.length);
  buffer.writeUInt32BE(crc32(buffer.subarray(at + AT.version, end)), at + AT.crc);
  return end;
}

/**
 * Reads the record at `at`. `short`: `buffer` ends within what may be a record. `corrupt`: it is not a record. Throws a SPOOL_VERSION for
 * an intact record of a newer format.
 */
export function readRecord(buffer: Buffer, at: number): SpoolRecord | 'short' | 'corrupt' {
  if (buffer.length - at < HEADER_BYTES) return startsLikeOne(buffer, at) ? 'short' : 'corrupt';
  if (!startsLikeOne(buffer, at)) return 'corrupt';
  const length = buffer.readUInt32BE(at + AT.length);
  if (length === 0 || length > MAX_PAYLOAD_BYTES) return 'corrupt';
  const payloadAt = at + HEADER_BYTES;
  if (payloadAt + length > buffer.length) return 'short';
  const crc = crc32(buffer.subarray(at + AT.version, payloadAt + length));
  if (crc !== buffer.readUInt32BE(at + AT.crc)) return 'corrupt';
  const version = buffer.readUInt16BE(at + AT.version);
  if (version > FORMAT) {
    throw new SpoolError('SPOOL_VERSION', `the spool has records of format ${version}, this reads ${FORMAT}`);
  }
  return {
    sequence: Number(buffer.readBigUInt64BE(at + AT.sequence)),
    count: buffer.readUInt32BE(at + AT.count),
    received: buffer.readUIntBE(at + AT.received, 6),
    payload: buffer.subarray(payloadAt, payloadAt + length),
  };
}

function startsLikeOne(buffer: Buffer, at: number): boolean {
  const end = Math.min(at + MAGIC.length, buffer.length);
  return buffer.compare(MAGIC, 0, end - at, at, end) === 0;
}
