import { describe, expect, test } from '@jest/globals';
import { parse } from '../../../event/parse.ts';
import { createDeadOrigins, type DeadOrigins } from '../../../reconcile/dead-origins.ts';
import { type VerifyOptions, verify } from '../../../reconcile/verify.ts';
import type { EventLookup } from '../../../store/event-lookup.ts';
import type { History, PastRecord, Place, Reach } from '../../../store/history.ts';

const NOW = 10_000_000;
const CUT: PastRecord = {
  value: Buffer.alloc(0),
  received: undefined,
  source: 'events/0',
  position: '10-29',
  waiting: false,
  place: undefined,
  undecodable: { records: 20, reason: 'its checksum is wrong' },
};
const BOOT = '0123456789abcdef0123456789abcdef';

// With real parts it is tested in test/integration/verify.test.ts; here is what those cannot be made to show at will.
describe('the comparison of a log with an index', () => {
  test('looks up missing events a second time if it must not refresh the index', async () => {
    let looked = 0;
    const books = await compare([record('a')], {
      count: (ids) => ids.map(() => (looked++ === 0 ? 0 : 1)),
      refresh: false,
    });
    expect(books).toMatchObject({ expected: 1, there: 1, missing: 0, examples: { missing: [] } });
  });

  test('has no result if the log does not reach back to the start of the range', async () => {
    const range = { from: 5, to: NOW };
    const books = await compare([record('a')], { range, removedBefore: 1_000 });
    expect(books.doubts).toEqual(['the log reaches back to 1970-01-01T00:00:01.000Z only']);
    expect((await compare([record('a')], { removedBefore: 1_000 })).doubts).toEqual([]);
  });

  test('has no result if there are too many dead letters', async () => {
    const books = await compare([record('a')], { dead: undefined });
    expect(books.doubts).toEqual(['there are too many dead letters to compare']);
  });

  test('does not report events that the forwarder gave up as a gap', async () => {
    const records = [1, 2, 4, 6].map((sequence) => record(`e${sequence}`, { place: place(sequence) }));
    const dead = deadAt(`web-1/${BOOT}/3`, `web-2/${BOOT}/5`, 'spool/5');
    const { gaps } = await compare(records, { dead });
    expect(gaps).toEqual([{ node: 'web-1', boot: BOOT, first: 5, last: 5 }]);
  });

  test('makes no number from an answer that lacks some of the ids', async () => {
    const short = compare([record('a'), record('b', { position: '1' })], { count: () => [1] });
    await expect(short).rejects.toThrow('index answered for 1 of 2 events');
  });

  test('has no result if waiting records may never be read, or the log is damaged', async () => {
    const reach = { unread: 'group sinks has committed nothing in events/0', damage: '7 bytes are damaged' };
    const waiting = await compare([record('a', { waiting: true })], { reach, count: () => [0] });
    expect(waiting.doubts).toEqual([
      'group sinks has committed nothing in events/0: events that wait there may be missing',
      '7 bytes are damaged',
    ]);
    expect((await compare([record('a')], { reach })).doubts).toEqual(['7 bytes are damaged']);
  });

  test('has no result if it is unknown whether the sink read removed records', async () => {
    const forgotten = 'it is unknown whether group sinks had read what was removed: events/2 before 50';
    expect((await compare([record('a')], { reach: { forgotten } })).doubts).toEqual([forgotten]);
  });

  test('counts records that were removed unread, of any time', async () => {
    const removedUnread = [
      { source: 'events/0', first: '10', last: '19' },
      { source: 'events/3', first: '9007199254740993', last: '9007199254740993' },
    ];
    expect(await compare([], { reach: { removedUnread } })).toMatchObject({ removed: 11, removedUnread });
  });

  test.each([
    ['of another time', { recorded: 21, time: 30 }, 0],
    ['of its time', { recorded: 20, time: 30 }, 1],
    ['that was written before the record came', { recorded: undefined, time: 20 - 3_600_001 }, 0],
    ['of an older version, written after it came', { recorded: undefined, time: 30 }, 1],
  ])('a dead letter %s names a record at the same place or does not', async (_, letter, count) => {
    const dead = createDeadOrigins();
    dead.add({ origin: 'spool/0', ...letter });
    expect(await compare([record('a')], { dead, count: () => [0] })).toMatchObject({
      dead: count,
      missing: 1 - count,
    });
  });

  test.each([
    [
      'a dead letter names them',
      { dead: deadAt('events/0/10-29') },
      { dead: 20, undecodable: 0, doubts: [] },
    ],
    ['the sink has not reached them', { waiting: true }, { waiting: 20, undecodable: 0, doubts: [] }],
    [
      'nobody says so',
      {},
      {
        undecodable: 20,
        doubts: ['20 records cannot be decoded, and no dead letter names them; the first at events/0/10-29'],
      },
    ],
  ])(
    'counts records that cannot be decoded, and never reports them as missing: %s',
    async (_, options, expected) => {
      const { waiting = false, ...rest } = options as { waiting?: boolean; dead?: DeadOrigins };
      const records = [record('a'), { ...CUT, waiting }];
      const books = await compare(records, { dead: deadAt(), ...rest, count: (ids) => ids.map(() => 1) });
      expect(books).toMatchObject({
        records: 21,
        expected: 21,
        there: 1,
        missing: 0,
        duplicate: 0,
        ...expected,
      });
    },
  );

  test.each([
    ['as many as that', 20, [], []],
    ['fewer', 19, [], ['skipped sequences may be among what cannot be decoded']],
    ['more', 21, [{ node: 'web-1', boot: BOOT, first: 2, last: 22 }], []],
  ])('missing sequences, %s, may be in records that cannot be decoded', async (_, absent, gaps, doubts) => {
    const records = [
      record('e1', { place: place(1) }),
      CUT,
      record('e2', { place: place(absent + 2), position: '30' }),
    ];
    const books = await compare(records, { dead: deadAt('events/0/10-29') });
    expect(books).toMatchObject({ dead: 20, gaps, doubts });
  });

  test('has no result if dead letters cannot be decoded', async () => {
    const { doubts } = await compare([record('a')], { undecodableLetters: 3 });
    expect(doubts).toEqual(['3 dead letters cannot be decoded: missing events may be among them']);
  });

  test('counts an event once that is in the log several times', async () => {
    const records = Array.from({ length: 5 }, (_, i) => record(`e${i % 2}`, { position: String(i) }));
    const books = await compare(records, { count: (ids) => ids.map((id) => (id === 'e0' ? 0 : 2)) });
    expect(books).toMatchObject({ records: 5, repeated: 3, expected: 2, missing: 1, duplicate: 1, there: 1 });
  });

  type Situation = {
    range?: VerifyOptions['range'];
    removedBefore?: number;
    dead?: VerifyOptions['dead'];
    undecodableLetters?: number;
    reach?: Partial<Reach>;
    count?: (ids: string[]) => number[];
    refresh?: boolean;
  };

  function compare(records: PastRecord[], situation: Situation) {
    const { range = { from: 0, to: NOW }, count = (ids) => ids.map(() => 1), refresh = true } = situation;
    const history: History = {
      name: 'log',
      async read(_, handle) {
        await handle(records);
        return {
          since: 0,
          removedBefore: situation.removedBefore,
          removedUnread: [],
          unread: undefined,
          forgotten: undefined,
          damage: undefined,
          ...situation.reach,
        };
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
    const dead = 'dead' in situation ? situation.dead : createDeadOrigins();
    const read: VerifyOptions['read'] = ({ values }, at) => parse(String(values.at(at)));
    return verify({
      history,
      lookup,
      read,
      range,
      dead,
      undecodableLetters: situation.undecodableLetters ?? 0,
      removedUnread: [],
      examples: 10,
      now: NOW,
    });
  }

  function deadAt(...origins: string[]): DeadOrigins {
    const dead = createDeadOrigins();
    for (const origin of origins) dead.add({ origin, recorded: undefined, time: 0 });
    return dead;
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
