import type { FileHandle } from 'node:fs/promises';
import { HEADER_BYTES, MAGIC, MAX_RECORD_BYTES, readRecord, type SpoolRecord } from './format.ts';

/** A record, or damaged bytes, from byte `offset` up to `end`. */
export type Found = Intact | Damage;

export type Intact = { kind: 'record'; offset: number; end: number; record: SpoolRecord };

export type Damage = {
  kind: 'damage';
  offset: number;
  end: number;
  /** It begins like a record that continues beyond the limit. */
  short: boolean;
};

export type Scanner = {
  /** The next record or damage before byte `limit`, up to which the file is complete. Undefined if there is nothing more. */
  next(limit: number): Promise<Found | undefined>;
};

/** Reads the records of a segment from byte `from` on, and skips anything between them. */
export function createScanner(file: FileHandle, from: number): Scanner {
  let offset = from;
  // The bytes of the file from `start` on. Never reused, because events are slices of it.
  let window = Buffer.alloc(0);
  let start = from;
  return { next };

  async function next(limit: number): Promise<Found | undefined> {
    if (offset >= limit) return undefined;
    try {
      return await nextBefore(limit);
    } catch (error) {
      if (!(error instanceof CutShort)) throw error;
      // The part that is left may contain records; everything after its end is lost.
      const { end } = error;
      return offset < end ? nextBefore(end) : moveTo({ kind: 'damage', offset, end: limit, short: false });
    }
  }

  async function nextBefore(limit: number): Promise<Found> {
    const begin = offset;
    const read = await recordAt(begin, limit);
    if (typeof read === 'string') return moveTo(await damage(begin, limit, read === 'short'));
    const end = begin + HEADER_BYTES + read.payload.length;
    return moveTo({ kind: 'record', offset: begin, end, record: read });
  }

  function moveTo(found: Found): Found {
    offset = found.end;
    return found;
  }

  async function damage(begin: number, limit: number, short: boolean): Promise<Damage> {
    let at = begin + 1;
    while (at < limit) {
      if (at < start || at + MAGIC.length > start + window.length) await fill(at, limit);
      const hit = window.indexOf(MAGIC, at - start);
      if (hit === -1) {
        // The magic may begin in the last bytes of this window.
        at = Math.max(at + 1, start + window.length - MAGIC.length + 1);
        continue;
      }
      at = start + hit;
      // Usually decided at once, which matters if damage contains many magics.
      if (readRecord(window, hit) !== 'corrupt' && typeof (await recordAt(at, limit)) !== 'string')
        return { kind: 'damage', offset: begin, end: at, short };
      at++;
    }
    return { kind: 'damage', offset: begin, end: limit, short };
  }

  async function recordAt(at: number, limit: number): Promise<SpoolRecord | 'short' | 'corrupt'> {
    const inside = at >= start && at < start + window.length;
    const read = inside ? readRecord(window, at - start) : 'short';
    const whole =
      inside && at === start && (window.length === MAX_RECORD_BYTES || start + window.length >= limit);
    if (read !== 'short' || whole) return read;
    await fill(at, limit);
    return readRecord(window, 0);
  }

  /** The size of the largest record, so that a `short` result in a full window means there is no record. */
  async function fill(at: number, limit: number): Promise<void> {
    const buffer = Buffer.allocUnsafeSlow(Math.min(limit - at, MAX_RECORD_BYTES));
    let length = 0;
    while (length < buffer.length) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length, at + length);
      if (bytesRead === 0) throw await cutShort(at + length);
      length += bytesRead;
    }
    window = buffer;
    start = at;
  }

  /** Confirmed by a second read: a loss is final. */
  async function cutShort(at: number): Promise<Error> {
    const { size } = await file.stat();
    return size <= at ? new CutShort(size) : new Error(`nothing can be read at byte ${at} of ${size}`);
  }
}

/** The file became shorter: it was truncated. */
class CutShort extends Error {
  readonly end: number;
  constructor(end: number) {
    super(`the segment ends at byte ${end}`);
    this.end = end;
  }
}

/** Everything in the first `bytes` of a segment. */
export async function* scan(file: FileHandle, bytes: number): AsyncGenerator<Found> {
  const scanner = createScanner(file, 0);
  let found = await scanner.next(bytes);
  while (found !== undefined) {
    yield found;
    found = await scanner.next(bytes);
  }
}
