/** Where a decompressor writes to: grows as it is filled, up to a limit. */
export type Output = {
  /** Bytes that were written. */
  size(): number;
  /** Adds `bytes` from `from` to `to`. Throws where they end before that. */
  append(bytes: Buffer, from: number, to: number): void;
  /** Adds `length` bytes that lie `distance` back, and that may overlap with what is added. */
  repeat(distance: number, length: number): void;
  /** All that was written. */
  bytes(): Buffer;
};

/** What was packed is larger than it may be. */
export class TooLarge extends Error {
  override name = 'TooLarge';
  constructor(most: number) {
    super(`unpacked it is larger than ${most} bytes`);
  }
}

/** Up to here a loop is faster than a call of the runtime. */
const SHORT = 64;

/** `guess`: how much it will be, about. Throws a `TooLarge` before more than `most` bytes are in it. */
export function createOutput({ guess, most }: { guess: number; most: number }): Output {
  let buffer = Buffer.allocUnsafe(Math.min(guess, most));
  let size = 0;
  return { size: () => size, append, repeat, bytes: () => buffer.subarray(0, size) };

  function append(bytes: Buffer, from: number, to: number): void {
    if (to > bytes.length) throw new Error('its end is missing');
    reserve(to - from);
    if (to - from > SHORT) size += bytes.copy(buffer, size, from, to);
    else for (let at = from; at < to; at++) buffer[size++] = bytes[at] ?? 0;
  }

  function repeat(distance: number, length: number): void {
    if (distance === 0 || distance > size) throw new Error('it refers to what is not there');
    reserve(length);
    const from = size - distance;
    const end = size + length;
    if (length > SHORT && length <= distance) buffer.copyWithin(size, from, from + length);
    // Byte by byte also where they overlap: what was just added is repeated.
    else for (let at = size; at < end; at++) buffer[at] = buffer[at - distance] ?? 0;
    size = end;
  }

  function reserve(more: number): void {
    const needed = size + more;
    if (needed > most) throw new TooLarge(most);
    if (needed <= buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.min(most, Math.max(needed, buffer.length * 2)));
    buffer.copy(larger, 0, 0, size);
    buffer = larger;
  }
}
