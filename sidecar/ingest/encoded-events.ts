/** Events in the format of the spool, JSON with a newline after each, collected in one growing buffer. */
export type EncodedEvents = {
  /** Makes room for `bytes` more. The caller then writes into `buffer()` at `end()` and calls `extend`. */
  reserve(bytes: number): void;
  buffer(): Buffer;
  end(): number;
  /** One more event was written, up to byte `end`. */
  extend(end: number): void;
  finish(): { bytes: Buffer; count: number };
};

/** The names of the fields, and room for one long value. */
const ADDED_BYTES = 700;
/** An event is longer than its line: a factor of two is enough for lines of common length. */
const GROWTH = 2;

/** `lineBytes`: length of the lines that will become events. `used`: a free buffer, reused if it is large enough. */
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
