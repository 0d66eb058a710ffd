import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createSpanHash, MOST_HASHED, type SpanHash } from '../../../event/span-hash.ts';
import { runs } from '../../parts/full.ts';

/** The hash of a text, of one byte a character, that lies `before` bytes into others. */
function hashOf(by: SpanHash, text: string, before = 0): string {
  const bytes = Buffer.from(`${'x'.repeat(before)}${text}${'y'.repeat(before)}`, 'latin1');
  by.hash(bytes, before, before + text.length);
  return `${by.bits(0)} ${by.bits(1)}`;
}

const text = fc.string({ unit: fc.constantFrom('\0', 'a', 'b', '\x80', '\xff'), maxLength: 14 });

describe('the hash of a span', () => {
  test('depends only on its bytes, not on their position', () => {
    const by = createSpanHash();
    const seen = new Map<string, string>();
    fc.assert(
      fc.property(text, fc.nat({ max: 9 }), (one, before) => {
        const bits = hashOf(by, one, before);
        expect(hashOf(by, one)).toBe(bits);
        expect(seen.get(bits) ?? one).toBe(one);
        seen.set(bits, one);
      }),
      { numRuns: runs(3_000) },
    );
  });

  test('differs if any bit differs, up to the last byte that it reads', () => {
    const by = createSpanHash();
    const length = MOST_HASHED;
    const whole = Buffer.alloc(length, 'a');
    const seen = new Set<string>();
    for (let bit = 0; bit < 8 * length; bit++) {
      const at = bit >> 3;
      whole[at] = (whole[at] ?? 0) ^ (1 << (bit & 7));
      by.hash(whole, 0, length);
      seen.add(`${by.bits(0)} ${by.bits(1)}`);
      whole[at] = (whole[at] ?? 0) ^ (1 << (bit & 7));
    }
    expect(seen.size).toBe(8 * length);
    expect(hashOf(by, 'a'.repeat(length + 1))).not.toBe(hashOf(by, 'a'.repeat(length)));
  });

  test('does not depend on bytes after the span', () => {
    const by = createSpanHash();
    for (const length of [1, 2, 3, 4, 5, 6, 7, 8]) {
      const one = Buffer.from('abcdefgh'.slice(0, length));
      by.hash(one, 0, length);
      const alone = by.bits(0);
      by.hash(Buffer.from(`${'abcdefgh'.slice(0, length)}zzzzz`), 0, length);
      expect(by.bits(0)).toBe(alone);
    }
  });

  test('has no collision that can be chosen without the key', () => {
    // With steps that are known (MurmurHash's for example) their differences cancel for two keys of three.
    const one = 'Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0';
    const other = 'Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefo8/933.0';
    const collisions = Array.from({ length: 100 }, createSpanHash).filter((by) => {
      const [high] = hashOf(by, one).split(' ');
      return hashOf(by, other).startsWith(`${high} `);
    });
    expect(collisions).toEqual([]);
  });

  test('spreads consecutive numbers like random ones', () => {
    const by = createSpanHash();
    const buckets = new Uint32Array(256);
    for (let i = 0; i < 256 * 64; i++) {
      by.hash(Buffer.from(`/web/item/${100_000 + i}.html`), 0, 21);
      buckets[by.bits(0) & 255] = (buckets[by.bits(0) & 255] ?? 0) + 1;
    }
    const chi = buckets.reduce((sum, n) => sum + (n - 64) ** 2 / 64, 0);
    // 255 degrees of freedom: mean 255, deviation 23.
    expect(chi).toBeLessThan(500);
  });
});
