/** Events as the spool keeps them, JSON with a newline behind each, gathered in one buffer that grows. */
export type EncodedEvents = {
  /** Makes sure that `bytes` more fit. For who writes into `buffer()` at `end()` and then tells by `extend`. */
  reserve(bytes: number): void;
  buffer(): Buffer;
  end(): number;
  /** One more event is written, up to byte `end`. */
  extend(end: number): void;
  finish(): { bytes: Buffer; count: number };
};

/** The names of the fields, and room for one long value. */
const ADDED_BYTES = 700;
/** An event is longer than its line: twice is enough for lines of common length. */
const GROWTH = 2;

/** `lineBytes`: of the lines that are to become events. `used`: a buffer that is free again, reused if it is large enough. */
export function createEncodedEvents(lineBytes: number, used?: Buffer): EncodedEvents {
  const usual = lineBytes * GROWTH + ADDED_BYTES;
  let buffer = used !== undefined && used.length >= usual ? used : Buffer.allocUnsafe(usual);
  let end = 0;
  let count = 0;
  return {
    reserve,
    buffer: () => buffer,
    end: () => end,
    extend(to) {
      end = to;
      count++;
    },
    finish: () => ({ bytes: buffer.subarray(0, end), count }),
  };

  function reserve(bytes: number): void {
    if (end + bytes <= buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(buffer.length * GROWTH, end + bytes));
    buffer.copy(larger, 0, 0, end);
    buffer = larger;
  }
}
