import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { unmapped } from '../../../event/ipv4-mapped.ts';

test.each([
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['::FFFF:203.0.113.7', '203.0.113.7'],
  ['::ffff:cb00:7107', '203.0.113.7'],
  ['::ffff:0:7', '0.0.0.7'],
  ['0:0:0:0:0:ffff:203.0.113.7', '203.0.113.7'],
  ['0000:0000:0000:0000:0000:ffff:cb00:7107', '203.0.113.7'],
  ['::0:ffff:203.0.113.7', '203.0.113.7'],
])('%s is the client %s', (mapped, ip) => {
  expect(unmapped(mapped)).toBe(ip);
});

test.each([
  '203.0.113.7',
  '2001:db8::7',
  '::203.0.113.7',
  '64:ff9b::203.0.113.7',
  '::ffff:0:203.0.113.7',
  '1::ffff:203.0.113.7',
  '::1:ffff:203.0.113.7',
  '::fffe:203.0.113.7',
  'unix:',
])('%s is unchanged', (ip) => {
  expect(unmapped(ip)).toBe(ip);
});

test('hexadecimal and dotted forms are the same client', () => {
  fc.assert(
    fc.property(fc.ipV4(), (ip) => {
      const [a = 0, b = 0, c = 0, d = 0] = ip.split('.').map(Number);
      const hexadecimal = `::ffff:${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
      expect([unmapped(`::ffff:${ip}`), unmapped(hexadecimal)]).toEqual([ip, ip]);
    }),
  );
});
