import { describe, expect, test } from '@jest/globals';
import { createAddressMask, IP_MODES } from '../../../event/address-mask.ts';
import type { HotItemEvent } from '../../../event/event.ts';
import { fromLine } from '../../../event/from-line.ts';
import { MOST_WEIGHT, parseStrict } from '../../../event/parse-strict.ts';
import { SHEDDING_STEPS } from '../../../sidecar/ingest/load-shedding.ts';

const ID = '0123456789abcdef0123456789abcdef';
const MOST_ONE_IN = 10_000;

describe('an event from another process', () => {
  test.each([
    ['as a line makes it', lineOf({})],
    ['sampled as far as a line can say', lineOf({ version: `2/${MOST_ONE_IN}` })],
    [
      'with fields cut to their limits',
      lineOf({ uri: `/${'a'.repeat(9_000)}?${'b'.repeat(9_000)}`, ua: 'u'.repeat(9_000) }),
    ],
    ['of a client on a unix socket', lineOf({ ip: 'unix:' })],
    ['of a client with IPv6', lineOf({ ip: '2001:db8::7' })],
    ['without an address', lineOf({ ip: '' })],
  ])('accepts %s', (_, line) => {
    const event = fromLine(line, 'web-1');
    expect(parseStrict(JSON.stringify(event))).toEqual(event);
  });

  test.each(IP_MODES)('accepts an address as privacy.ip: %s stores it', (mode) => {
    const mask = createAddressMask({ mode, salt: 'a secret of the nodes' });
    for (const ip of ['203.0.113.7', '2001:db8:1:2::3']) {
      const masked = mask(ip, 0);
      const event = view(masked === undefined ? {} : { ip: masked });
      expect(parseStrict(JSON.stringify(event))).toEqual(event);
    }
  });

  test('may have the highest weight that sampling and load shedding produce', () => {
    expect(MOST_WEIGHT).toBe(MOST_ONE_IN * Math.max(...SHEDDING_STEPS.map(({ oneIn }) => oneIn)));
    expect(parseStrict(JSON.stringify(view({ weight: MOST_WEIGHT })))).toMatchObject({ weight: MOST_WEIGHT });
  });

  test.each<[Partial<HotItemEvent>, string]>([
    [{ weight: 1_000_000 }, 'weight: must be a whole number from 1 to 640000 (got 1000000)'],
    [{ weight: 1.5 }, 'weight: must be a whole number from 1 to 640000 (got 1.5)'],
    [{ ip: 'no address' }, 'ip: must be an address (got "no address")'],
    [{ ip: 'fe80::1%eth0' }, 'ip: must be an address'],
    [{ ip: '999.0.0.1' }, 'ip: must be an address'],
    [{ ip: '0123456789abcde' }, 'ip: must be an address'],
    [{ uri: 'web/item/1.html' }, 'uri: must be a path'],
    [{ uri: `/${'a'.repeat(2_048)}` }, 'uri: longer than 2048'],
    [{ item: 'a'.repeat(257) }, 'item: longer than 256'],
    [{ ua: 'a'.repeat(1_025) }, 'ua: longer than 1024'],
    [{ node: 'a'.repeat(256) }, 'node: longer than 255'],
    [{ visitor: 'a'.repeat(256) }, 'visitor: longer than 255'],
    [{ cut: ['__proto__'] }, 'cut: must name fields that can be cut'],
  ])('rejects %j', (fields, problem) => {
    expect(() => parseStrict(JSON.stringify(view(fields)))).toThrow(problem);
  });

  test('accepts every event that is stored', () => {
    expect(() => parseStrict('{"v":2}')).toThrow('v: unknown version');
  });
});

function view(fields: Partial<HotItemEvent>): HotItemEvent {
  return { v: 1, id: ID, time: 1_795_355_712_163, uri: '/web/item/4711.html', item: '4711', ...fields };
}

function lineOf({
  version = '2',
  ip = '203.0.113.7',
  uri = '/web/item/4711.html',
  ua = 'Mozilla/5.0',
}): string {
  return [version, '1795355712.163', ID, ip, 'GET', 'shop', uri, '', '', '', '', ua].join('\t');
}
