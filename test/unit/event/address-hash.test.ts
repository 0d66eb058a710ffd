import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createAddressHash } from '../../../event/address-hash.ts';
import { runs } from '../../parts/full.ts';

const hash = createAddressHash();

function bitsOf(address: string): number {
  const bytes = Buffer.from(`x${address}1`);
  return hash(bytes, 1, bytes.length - 1);
}

/** As nginx writes it. */
function addressOf(groups: number[]): string {
  const written = groups.map((group) => group.toString(16)).join(':');
  return new URL(`http://[${written}]/`).hostname.slice(1, -1);
}

/** Many are zero, so that the gap is anywhere. */
const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 0xffff }));
const network = fc.array(group, { minLength: 4, maxLength: 4 });
const host = fc.array(group, { minLength: 4, maxLength: 4 });

describe('the hash of an address', () => {
  test('is that of its network for IPv6, however the address is written', () => {
    fc.assert(
      fc.property(network, host, host, (bits, one, other) => {
        expect(bitsOf(addressOf([...bits, ...one]))).toBe(bitsOf(addressOf([...bits, ...other])));
      }),
      { numRuns: runs(2_000) },
    );
  });

  test('differs for two networks', () => {
    fc.assert(
      fc.property(network, network, host, host, (bits, others, one, other) => {
        fc.pre(bits.join() !== others.join());
        expect(bitsOf(addressOf([...bits, ...one]))).not.toBe(bitsOf(addressOf([...others, ...other])));
      }),
      { numRuns: runs(2_000) },
    );
  });

  test.each([
    ['an IPv4 address that came in through an IPv6 socket', '::ffff:203.0.113.7', '203.0.113.7'],
    ['upper and lower case', '2001:DB8:A::1', '2001:db8:a::2'],
  ])('is the same: %s', (_, one, other) => {
    expect(bitsOf(one)).toBe(bitsOf(other));
  });

  test.each([
    ['two addresses of IPv4', '203.0.113.7', '203.0.113.70'],
    ['two that came in through an IPv6 socket', '::ffff:203.0.113.7', '::ffff:203.0.113.8'],
    ['two that a translator made addresses of IPv6', '64:ff9b::cb00:7107', '64:ff9b::cb00:7108'],
    ['two that the translator of a site made such', '64:ff9b:1::cb00:7107', '64:ff9b:1::cb00:7108'],
    ['two hashed addresses', '0123456789abcdef', '0123456789abcdee'],
    ['a socket and nothing', 'unix:', ''],
  ])('differs: %s', (_, one, other) => {
    expect(bitsOf(one)).not.toBe(bitsOf(other));
  });
});
