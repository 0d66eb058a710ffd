import { describe, expect, test } from '@jest/globals';
import { parse } from '../../../event/parse.ts';
import { type VerifyOptions, verify } from '../../../sink/verify.ts';
import type { EventLookup } from '../../../store/event-lookup.ts';
import type { History, PastRecord, Place } from '../../../store/history.ts';

const NOW = 10_000_000;
const BOOT = '0123456789abcdef0123456789abcdef';

// With real parts it is tested in test/integration/verify.test.ts; here is what those cannot be made to show at will.
describe('the comparison of a log with an index', () => {
  test('looks a second time at what it misses where it may not refresh the index', async () => {
    let looked = 0;
    const books = await compare([record('a')], {
      count: (ids) => ids.map(() => (looked++ === 0 ? 0 : 1)),
      refresh: false,
    });
    expect(books).toMatchObject({ expected: 1, there: 1, missing: 0, examples: { missing: [] } });
  });

  test('cannot tell where the log does not reach back to the beginning of the range', async () => {
    const range = { from: 5, to: NOW };
    const books = await compare([record('a')], { range, removedBefore: 1_000 });
    expect(books.doubts).toEqual(['the log reaches back to 1970-01-01T00:00:01.000Z only']);
    expect((await compare([record('a')], { removedBefore: 1_000 })).doubts).toEqual([]);
  });

  test('cannot tell what is dead where there are too many dead letters', async () => {
    const books = await compare([record('a')], { deadOrigins: undefined });
    expect(books.doubts).toEqual(['there are too many dead letters to compare with']);
  });

  test('calls no gap what a forwarder gave up', async () => {
    const records = [1, 2, 4, 6].map((sequence) => record(`e${sequence}`, { place: place(sequence) }));
    const deadOrigins = new Set([`web-1/${BOOT}/3`, `web-2/${BOOT}/5`, 'spool/5']);
    const { gaps } = await compare(records, { deadOrigins });
    expect(gaps).toEqual([{ node: 'web-1', boot: BOOT, first: 5, last: 5 }]);
  });

  test('counts an event once that the log has several times', async () => {
    const records = Array.from({ length: 5 }, (_, i) => record(`e${i % 2}`, { position: String(i) }));
    const books = await compare(records, { count: (ids) => ids.map((id) => (id === 'e0' ? 0 : 2)) });
    expect(books).toMatchObject({ records: 5, repeated: 3, expected: 2, missing: 1, duplicate: 1, there: 1 });
  });

  type Situation = {
    range?: VerifyOptions['range'];
    removedBefore?: number;
    deadOrigins?: Set<string> | undefined;
    count?: (ids: string[]) => number[];
    refresh?: boolean;
  };

  function compare(records: PastRecord[], situation: Situation) {
    const { range = { from: 0, to: NOW }, count = (ids) => ids.map(() => 1), refresh = true } = situation;
    const history: History = {
      name: 'log',
      async read(_, handle) {
        await handle(records);
        return { since: 0, removedBefore: situation.removedBefore };
      },
      close: async () => {},
    };
    const lookup: EventLookup = {
      name: 'index',
      most: 1000,
      count: async (ids) => count(ids),
      create: async () => [],
      refresh: async () => refresh,
      refreshMs: 1,
      close: async () => {},
    };
    const deadOrigins = 'deadOrigins' in situation ? situation.deadOrigins : new Set<string>();
    const read: VerifyOptions['read'] = ({ values }, at) => parse(String(values[at]));
    return verify({
      history,
      lookup,
      read,
      range,
      deadOrigins,
      examples: 10,
      now: NOW,
      onProgress: () => {},
    });
  }

  function record(id: string, changes: Partial<PastRecord> = {}): PastRecord {
    const value = Buffer.from(JSON.stringify({ v: 1, id, time: 10, uri: '/item/1', item: '1' }));
    return {
      value,
      received: 20,
      source: 'spool',
      position: '0',
      waiting: false,
      place: undefined,
      ...changes,
    };
  }

  function place(sequence: number): Place {
    return { node: 'web-1', boot: BOOT, sequence };
  }
});
