import { BlockList, isIP } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createAddressMask, IP_MODES } from '../../../event/address-mask.ts';

const SALT = 'a secret of the nodes';
const NOON = Date.UTC(2026, 10, 22, 12);
const DAY_MS = 86_400_000;

const address = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc.ipV4().map((ip) => `::ffff:${ip}`),
);

describe('truncating', () => {
  const truncate = createAddressMask({ mode: 'truncate' });

  test.each([
    ['203.0.113.7', '203.0.113.0'],
    ['0.0.0.0', '0.0.0.0'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1::'],
    ['2001:db8:1::6', '2001:db8:1::'],
    ['2001:db8::6', '2001:db8::'],
    ['2001::1:0:0:6', '2001::'],
    ['2001:0:5:1::', '2001:0:5::'],
    ['1::3:4:5:6:7:8', '1:0:3::'],
    ['::2:3:4:5:6:7:8', '0:2:3::'],
    ['::3:4:5:6:7:8', '0:0:3::'],
    ['::1', '::'],
    ['::ffff:203.0.113.7', '203.0.113.0'],
    ['::203.0.113.7', '::'],
    ['64:ff9b::203.0.113.7', '64:ff9b::'],
    // 6to4: 203.0.113.7 lies in the network's own part.
    ['2002:cb00:7107:1::1', '2002:cb00:7100::'],
    ['2001:DB8:A::1', '2001:db8:a::'],
  ])('makes %s the network %s', (ip, network) => {
    expect(truncate(ip, NOON)).toBe(network);
  });

  test('returns the first address of the network of any address, and is idempotent', () => {
    fc.assert(
      fc.property(address, (ip) => {
        const network = truncate(ip, NOON) ?? '';
        const family = network.includes(':') ? 'ipv6' : 'ipv4';
        const list = new BlockList();
        list.addSubnet(network, family === 'ipv6' ? 48 : 24, family);
        const plain = family === 'ipv4' ? ip.replace('::ffff:', '') : ip;
        expect(isIP(network)).not.toBe(0);
        expect(truncate(network, NOON)).toBe(network);
        expect(list.check(plain, family) || network.startsWith('2002:')).toBe(true);
      }),
    );
  });

  test('is the same for all addresses of a network', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.nat(255), (ip, last) => {
        expect(truncate(ip.replace(/\d+$/, String(last)), NOON)).toBe(truncate(ip, NOON));
      }),
    );
  });
});

describe('hashing', () => {
  const hash = createAddressMask({ mode: 'hash', salt: SALT });

  test('gives 16 hex digits for any address', () => {
    fc.assert(
      fc.property(address, fc.nat(8e12), (ip, time) => {
        expect(hash(ip, time)).toMatch(/^[0-9a-f]{16}$/);
      }),
    );
  });

  test('is the same on every node that has the salt', () => {
    const other = createAddressMask({ mode: 'hash', salt: SALT });
    expect(other('203.0.113.7', NOON)).toBe(hash('203.0.113.7', NOON));
    // Written down: an update that changed it would make every visitor of that day two.
    expect(hash('203.0.113.7', NOON)).toBe('9ce4fb03f1e93110');
  });

  test('differs with another salt', () => {
    const other = createAddressMask({ mode: 'hash', salt: `${SALT}!` });
    expect(other('203.0.113.7', NOON)).not.toBe(hash('203.0.113.7', NOON));
  });

  test('is the same from midnight to midnight UTC, and differs the next day', () => {
    const midnight = Date.UTC(2026, 10, 22);
    const [first, last, next] = [midnight, midnight + DAY_MS - 1, midnight + DAY_MS].map((time) =>
      hash('203.0.113.7', time),
    );
    expect(last).toBe(first);
    expect(next).not.toBe(first);
  });

  test('depends on the day of the event, in whatever order days come', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { maxLength: 40 }), (days) => {
        for (const day of days) {
          const time = NOON + day * DAY_MS;
          const alone = createAddressMask({ mode: 'hash', salt: SALT });
          expect(hash('203.0.113.7', time)).toBe(alone('203.0.113.7', time));
        }
      }),
    );
  });

  test('treats an IPv4 address on an IPv6 socket as the same visitor', () => {
    expect(hash('::ffff:203.0.113.7', NOON)).toBe(hash('203.0.113.7', NOON));
  });

  test('distinguishes addresses', () => {
    const hashes = Array.from({ length: 65_536 }, (_, i) => hash(`203.0.${i >> 8}.${i & 255}`, NOON));
    expect(new Set(hashes).size).toBe(65_536);
  });

  test.each([undefined, ''])('without a salt (%j) is rejected', (salt) => {
    expect(() => createAddressMask({ mode: 'hash', salt })).toThrow('needs a salt');
  });
});

test('dropping keeps nothing', () => {
  expect(createAddressMask({ mode: 'drop' })('203.0.113.7', NOON)).toBeUndefined();
});

test('the full address is kept as it is', () => {
  expect(createAddressMask({ mode: 'full' })('::ffff:203.0.113.7', NOON)).toBe('::ffff:203.0.113.7');
});

test.each(IP_MODES.filter((mode) => mode !== 'drop'))('%s leaves a client on a unix socket alone', (mode) => {
  expect(createAddressMask({ mode, salt: SALT })('unix:', NOON)).toBe('unix:');
});
