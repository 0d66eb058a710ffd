import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { normalisePath } from '../../../event/normalise-path.ts';
import { runs } from '../../parts/full.ts';

/** Rich in what nginx treats specially, one character a byte. */
const path = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '/',
        '//',
        '.',
        '..',
        '/../',
        '/./',
        '%2F',
        '%2e',
        '%2E%2E',
        '%',
        '%2',
        '%zz',
        '%25',
        '%00',
        '%0A',
      ),
      fc.constantFrom('%C3%A9', '\xc3\xa9', '%FF', '\xff', '%F0%9F%98%80', 'a', 'item'),
      fc.integer({ min: 1, max: 255 }).map((byte) => String.fromCharCode(byte)),
    ),
    { maxLength: 40 },
  )
  .map((parts) => `/${parts.join('')}`);

describe('any path', () => {
  test('is normalised as by a simple model', () => {
    fc.assert(
      fc.property(path, (asked) => {
        expect(normalisePath(asked)).toBe(model(asked));
      }),
      { numRuns: runs(1000) },
    );
  });

  test('has no dot or empty segment, and is text that every index accepts', () => {
    fc.assert(
      fc.property(path, (asked) => {
        const uri = normalisePath(asked);
        const [first, ...segments] = uri.split('/');
        expect(first).toBe('');
        expect(segments.slice(0, -1)).not.toContain('');
        expect(segments.filter((segment) => segment === '.' || segment === '..')).toEqual([]);
        expect(uri.isWellFormed()).toBe(true);
      }),
    );
  });

  test('is never longer than the limit', () => {
    fc.assert(
      fc.property(path, (asked) => {
        expect(normalisePath(asked).length).toBeLessThanOrEqual(asked.length);
      }),
    );
  });

  test('is decoded exactly once', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9%]+$/), (name) => {
        expect(normalisePath(`/${encodeURIComponent(name)}`)).toBe(`/${name}`);
      }),
    );
  });
});

/** The same by a list of segments; slow, and short enough to be believed. */
function model(asked: string): string {
  const decoded = asked.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  const segments = decoded.split('/').slice(1);
  const kept: string[] = [];
  segments.forEach((segment, i) => {
    if (segment === '..') kept.pop();
    else if (segment !== '.' && (segment !== '' || i === segments.length - 1)) kept.push(segment);
    if (i === segments.length - 1 && (segment === '..' || segment === '.')) kept.push('');
  });
  return Buffer.from(`/${kept.join('/')}`, 'latin1').toString('utf8');
}
