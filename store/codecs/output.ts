/** The output of a decompressor: grows up to a limit. */
export type Output = {
  /** Bytes that were written. */
  size(): number;
  /** Adds `bytes` from `from` to `to`. Throws where they end before that. */
  append(bytes: Buffer, from: number, to: number): void;
  /** Appends `length` bytes from `distance` back, which may overlap with the result. */
  repeat(distance: number, length: number): void;
  /** All that was written. */
  bytes(): Buffer;
};

/** What was packed is larger than it may be. */
export class TooLarge extends Error {
  override name = 'TooLarge';
  constructor(most: number) {
    super(`decompressed, it is larger than ${most} bytes`);
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
    if (distance === 0 || distance > size) throw new Error('it refers to missing data');
    reserve(length);
    const end = size + length;
    if (length > SHORT) repeatLong(distance, length);
    else for (let at = size; at < end; at++) buffer[at] = buffer[at - distance] ?? 0;
    size = end;
  }

  /** If both overlap, what was just added is repeated: the existing part doubles with each copy. */
  function repeatLong(distance: number, length: number): void {
    let there = Math.min(distance, length);
    buffer.copyWithin(size, size - distance, size - distance + there);
    while (there < length) {
      const more = Math.min(there, length - there);
      buffer.copyWithin(size + there, size, size + more);
      there += more;
    }
  }

  function reserve(more: number): void {
    const needed = size + more;
    if (needed > most) throw new TooLarge(most);
    if (needed <= buffer.length) return;
    // All that there may be: room that is not written to takes no memory, and what grows in steps is garbage after each.
    const larger = Buffer.allocUnsafe(most);
    buffer.copy(larger, 0, 0, size);
    buffer = larger;
  }
}
