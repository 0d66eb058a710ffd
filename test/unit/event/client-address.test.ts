import { isIPv6, isIPv4 as isNodesIPv4 } from 'node:net';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isIPv4, isOtherClient, unmappedAt } from '../../../event/client-address.ts';

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

test('what is an address is the same as for node, wherever it lies', () => {
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
    { numRuns: 5_000 },
  );
  expect(found.size).toBe(3);
});

test.each(['unix:', ''])('%j is a client as well', (text) => {
  expect(isOtherClient(...spanOf(text))).toBe(true);
});

test.each(['unix', 'unix:/x', 'fe80::1%eth0'])('%j is none', (text) => {
  expect(isOtherClient(...spanOf(text))).toBe(false);
});

test('an IPv4 address that came in through an IPv6 socket begins behind its prefix', () => {
  const [bytes, at] = spanOf('::ffff:192.0.2.1');
  expect(unmappedAt(bytes, at)).toBe(at + '::ffff:'.length);
  expect(unmappedAt(Buffer.from('::fffe:1'), 0)).toBe(0);
});
