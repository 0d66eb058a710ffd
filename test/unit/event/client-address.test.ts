import { isIPv6, isIPv4 as isNodesIPv4 } from 'node:net';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isIPv4, isOtherClient, unmappedAt } from '../../../event/client-address.ts';
import { runs } from '../../parts/full.ts';

/** `text` as a span in the middle of a buffer whose other bytes would go on with an address. */
function spanOf(text: string): [Buffer, number, number] {
  return [Buffer.from(`1:2${text}:3.4`), 3, 3 + text.length];
}

const piece = fc.constantFrom(
  '0',
  '1',
  'ab',
  'FFFF',
  '12345',
  'g',
  ':',
  ':',
  '::',
  '.',
  '1.2.3.4',
  '256',
  '01',
  '%',
);
const nearly = fc.array(piece, { maxLength: 14 }).map((pieces) => pieces.join(''));
const groups = fc
  .array(fc.constantFrom('1', 'abcd', '0', ''), { minLength: 6, maxLength: 9 })
  .map((all) => all.join(':'));

test('addresses are exactly those that Node accepts, at any position', () => {
  const found = new Set<string>();
  fc.assert(
    fc.property(fc.oneof(nearly, groups, fc.ipV4(), fc.ipV6()), (text) => {
      const isOther = text === '' || (isIPv6(text) && !text.includes('%'));
      expect([text, isIPv4(...spanOf(text)), isOtherClient(...spanOf(text))]).toEqual([
        text,
        isNodesIPv4(text),
        isOther,
      ]);
      found.add(`${isNodesIPv4(text)} ${isOther}`);
    }),
    { numRuns: runs(5_000) },
  );
  expect(found.size).toBe(3);
});

test.each(['unix:', ''])('%j is also a client', (text) => {
  expect(isOtherClient(...spanOf(text))).toBe(true);
});

test.each(['unix', 'unix:/x', 'fe80::1%eth0'])('%j is not a client', (text) => {
  expect(isOtherClient(...spanOf(text))).toBe(false);
});

test('an IPv4-mapped address starts after its prefix', () => {
  const [bytes, at] = spanOf('::ffff:192.0.2.1');
  expect(unmappedAt(bytes, at)).toBe(at + '::ffff:'.length);
  expect(unmappedAt(Buffer.from('::fffe:1'), 0)).toBe(0);
});
