import { SpoolError } from './error.ts';
import { HEADER_BYTES, MAX_PAYLOAD_BYTES, writeRecord } from './format.ts';

/** Consecutive events, each a JSON text in UTF-8 that ends with its only newline. */
export type Lines = { bytes: Buffer; count: number };

/** The content of one record. */
type Payload = { pieces: Buffer[]; bytes: number; count: number };

const NEWLINE = 0x0a;

/** Throws a SPOOL_EVENT for a text that contains a newline. */
export function toLines(texts: string[]): Lines {
  if (texts.some((text) => text.includes('\n'))) {
    throw new SpoolError('SPOOL_EVENT', 'an event with a newline in it');
  }
  return { bytes: Buffer.from(`${texts.join('\n')}\n`), count: texts.length };
}

/** Splits events into payloads that fit into a record, usually one. Throws a SPOOL_EVENT for an event that is too large. */
export function toPieces({ bytes, count }: Lines): Lines[] {
  const pieces: Lines[] = [];
  let rest = { bytes, count };
  while (rest.bytes.length > MAX_PAYLOAD_BYTES) {
    const end = rest.bytes.lastIndexOf(NEWLINE, MAX_PAYLOAD_BYTES - 1) + 1;
    if (end === 0) throw new SpoolError('SPOOL_EVENT', `an event of more than ${MAX_PAYLOAD_BYTES} bytes`);
    const piece = { bytes: rest.bytes.subarray(0, end), count: newlinesIn(rest.bytes, end) };
    pieces.push(piece);
    rest = { bytes: rest.bytes.subarray(end), count: rest.count - piece.count };
  }
  return [...pieces, rest];
}

function newlinesIn(bytes: Buffer, end: number): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at !== -1 && at < end; at = bytes.indexOf(NEWLINE, at + 1)) count++;
  return count;
}

/** Serializes one write, whose first event is `sequence`: usually one record. Reuses the buffer `used` if it is large enough. */
export function encodeGroup(
  pieces: Lines[],
  { sequence, received }: { sequence: number; received: number },
  used?: Buffer,
): Buffer {
  const payloads = toPayloads(pieces);
  const bytes = payloads.reduce((sum, payload) => sum + HEADER_BYTES + payload.bytes, 0);
  const buffer =
    used !== undefined && used.length >= bytes ? used.subarray(0, bytes) : Buffer.allocUnsafe(bytes);
  let at = 0;
  let next = sequence;
  for (const payload of payloads) {
    at = writeRecord(buffer, at, { ...payload, sequence: next, received });
    next += payload.count;
  }
  return buffer;
}

function toPayloads(pieces: Lines[]): Payload[] {
  const payloads: Payload[] = [];
  for (const { bytes, count } of pieces) {
    const open = payloads.at(-1);
    if (open === undefined || open.bytes + bytes.length > MAX_PAYLOAD_BYTES) {
      payloads.push({ pieces: [bytes], bytes: bytes.length, count });
      continue;
    }
    open.pieces.push(bytes);
    open.bytes += bytes.length;
    open.count += count;
  }
  return payloads;
}
