import { SpoolError } from './spool-error.ts';
import { HEADER_BYTES, MAX_PAYLOAD_BYTES, writeRecord } from './spool-format.ts';

/** Some lines, and their bytes in UTF-8 with a newline each. */
export type Lines = { lines: string[]; bytes: number };

/** Measures `lines`. Throws a SPOOL_EVENT for one that no record can hold, or that would be read back as two. */
export function toLines(lines: string[]): Lines {
  let bytes = 0;
  for (const line of lines) {
    const length = Buffer.byteLength(line) + 1;
    if (length > MAX_PAYLOAD_BYTES) {
      throw new SpoolError('SPOOL_EVENT', `an event of ${length} bytes, the most is ${MAX_PAYLOAD_BYTES}`);
    }
    if (line.includes('\n')) throw new SpoolError('SPOOL_EVENT', 'an event with a newline in it');
    bytes += length;
  }
  return { lines, bytes };
}

/** The records of one write, which begins with event `sequence`: one, unless that would be too large. */
export function encodeGroup(
  group: Lines[],
  { sequence, received }: { sequence: number; received: number },
): Buffer {
  const payloads = toPayloads(group);
  const bytes = payloads.reduce((sum, payload) => sum + HEADER_BYTES + payload.bytes, 0);
  // The pool is for small things that die soon, as this one does.
  const buffer = Buffer.allocUnsafe(bytes);
  let at = 0;
  let next = sequence;
  for (const payload of payloads) {
    at = writeRecord(buffer, at, { ...payload, sequence: next, received });
    next += payload.lines.length;
  }
  return buffer;
}

function toPayloads(group: Lines[]): Lines[] {
  let open: Lines = { lines: [], bytes: 0 };
  const payloads = [open];
  for (const { lines, bytes } of group) {
    if (open.bytes + bytes <= MAX_PAYLOAD_BYTES) {
      for (const line of lines) open.lines.push(line);
      open.bytes += bytes;
      continue;
    }
    for (const line of lines) {
      const length = Buffer.byteLength(line) + 1;
      if (open.bytes + length > MAX_PAYLOAD_BYTES) {
        open = { lines: [], bytes: 0 };
        payloads.push(open);
      }
      open.lines.push(line);
      open.bytes += length;
    }
  }
  // The first one is empty when the first line of all fills a record.
  return payloads.filter(({ lines }) => lines.length > 0);
}
