import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createByteWriter, OVERSHOOT_BYTES, pieceOf } from '../../../event/byte-writer.ts';

test('writes what it is told, one behind the other, and reads no byte outside of its input', () => {
  const bytes = fc.uint8Array({ maxLength: 40 });
  const range = fc.tuple(fc.nat(40), fc.nat(40));
  const step = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => ({ text })),
    range.map((range) => ({ range })),
    fc.nat(255).map((byte) => ({ byte })),
  );
  // One writer for all: each run has other buffers.
  const writer = createByteWriter();
  fc.assert(
    fc.property(bytes, fc.array(step, { maxLength: 10 }), fc.nat(5), (input, steps, start) => {
      // A part of a larger buffer, as buffers of Node's pool are.
      const from = Buffer.from([1, ...input, 2]).subarray(1, 1 + input.length);
      const wanted: Buffer[] = [];
      const to = Buffer.alloc(start + 10 * 50 + OVERSHOOT_BYTES);
      writer.begin(from, to, start);
      for (const one of steps) {
        if ('text' in one) {
          writer.put(pieceOf(one.text));
          wanted.push(Buffer.from(one.text));
        } else if ('range' in one) {
          const until = Math.min(Math.max(...one.range), from.length);
          const at = Math.min(...one.range, until);
          writer.copy(at, until);
          wanted.push(from.subarray(at, until));
        } else {
          writer.putByte(one.byte);
          wanted.push(Buffer.from([one.byte]));
        }
      }
      expect(to.subarray(start, writer.end())).toEqual(Buffer.concat(wanted));
      expect(to.subarray(writer.end() + OVERSHOOT_BYTES).every((byte) => byte === 0)).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});
