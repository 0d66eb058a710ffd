const LINE_BYTES = 64;
/** The header that malloc puts before a large buffer. */
const HEADER_BYTES = 16;

/**
 * A table that begins at a cache line, so that an entry of 64 bytes is in one line and not in two. It only costs speed if the memory lies
 * elsewhere than glibc puts it.
 */
export function cacheLines(words: number): Int32Array {
  const bytes = words * Int32Array.BYTES_PER_ELEMENT;
  return new Int32Array(new ArrayBuffer(bytes + LINE_BYTES), LINE_BYTES - HEADER_BYTES, words);
}
