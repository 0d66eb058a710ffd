import type { lookup } from 'node:dns';
import { describe, expect, test } from '@jest/globals';
import { createLookup, whyRefused } from '../../../webhooks/refused-address.ts';

describe('an address that a webhook resolves to', () => {
  test.each([
    '169.254.169.254',
    '169.254.0.1',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    '::169.254.169.254',
    '64:ff9b::a9fe:a9fe',
    '2002:a9fe:a9fe::1',
    'fe80::1',
    'fe80::1%eth0',
    'febf::1',
    'fd00:ec2::254',
    'fd20:ce::254',
    '100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
    '0.0.0.0',
    '::',
    '224.0.0.1',
    '255.255.255.255',
    'ff02::1',
  ])('%s is refused', (address) => {
    expect(whyRefused(address, false)).toMatch(/is not allowed/);
  });

  test.each(['203.0.113.7', '10.0.0.7', '192.168.1.7', '127.0.0.1', '::1', 'fd00::7', '2001:db8::1'])(
    '%s is allowed',
    (address) => {
      expect(whyRefused(address, false)).toBeUndefined();
    },
  );

  test.each([
    ['127.0.0.1', true],
    ['::1', true],
    ['::ffff:127.0.0.1', true],
    ['10.0.0.7', false],
    ['203.0.113.7', false],
  ])('%s is allowed without TLS: %p', (address, isAllowed) => {
    expect(whyRefused(address, true) === undefined).toBe(isAllowed);
  });
});

describe('a name', () => {
  test.each([true, false])('one of whose addresses is refused is not connected to (all: %p)', async (all) => {
    const { error, address } = await look(['203.0.113.7', '169.254.169.254'], { all });
    expect([error?.message, address]).toEqual([expect.stringContaining('169.254.169.254'), all ? [] : []]);
  });

  test('gives what was resolved, in the form that was asked for', async () => {
    expect(await look(['203.0.113.7', '2001:db8::1'], { all: false })).toMatchObject({
      address: '203.0.113.7',
      family: 4,
    });
    expect((await look(['203.0.113.7', '2001:db8::1'], { all: true })).address).toHaveLength(2);
  });

  test('that does not resolve is an error', async () => {
    expect((await look(new Error('ENOTFOUND'), { all: true })).error?.message).toBe('ENOTFOUND');
  });

  function look(found: string[] | Error, { all }: { all: boolean }) {
    const resolve = ((_: string, __: object, done: (error: Error | null, found?: object[]) => void) =>
      found instanceof Error
        ? done(found)
        : done(
            null,
            found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
          )) as unknown as typeof lookup;
    return new Promise<{ error: Error | null; address: unknown; family?: number | undefined }>((done) => {
      createLookup(false, resolve)('name.example', { all }, (error, address, family) =>
        done({ error, address, family }),
      );
    });
  }
});
