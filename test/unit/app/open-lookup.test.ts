import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { joinLookup } from '../../../app/open-lookup.ts';
import type { HotItemEvent } from '../../../event/event.ts';
import { loadConfig } from '../../../service/config/config.ts';
import type { EventLookup } from '../../../store/event-lookup.ts';
import { temporaryFolder } from '../../parts/guard.ts';

const SHOE = { v: 1, id: 'a', time: 1, uri: '/item/4711', item: '4711' } as const satisfies HotItemEvent;

let folder: ReturnType<typeof temporaryFolder>;
let file: string;
beforeAll(() => {
  folder = temporaryFolder('open-lookup');
  file = join(folder.path, 'catalogue.csv');
});
afterAll(() => folder.remove());

describe('what a replay creates in an index that no service has open', () => {
  test('has the names of the catalogue, which is loaded once, and only if anything is created', async () => {
    const { lookup, created, warned } = joined({ HOTITEM_CATALOGUE_FILE: file });
    await lookup.count(['a']);
    writeFileSync(file, 'id,name,category\n4711,Shoe,Shoes\n');
    await lookup.create([{ ...SHOE }]);
    writeFileSync(file, 'half');
    await lookup.create([{ ...SHOE }]);
    const named = { ...SHOE, name: 'Shoe', category: 'Shoes' };
    expect([created, warned]).toEqual([[named, named], []]);
  });

  test('has no names if the catalogue cannot be used, and the operator is told once', async () => {
    writeFileSync(file, 'half');
    const { lookup, created, warned } = joined({ HOTITEM_CATALOGUE_FILE: file });
    await lookup.create([{ ...SHOE }]);
    await lookup.create([{ ...SHOE }]);
    expect(created).toEqual([SHOE, SHOE]);
    expect(warned).toEqual([
      [
        'the catalogue cannot be used; events are indexed without names and categories',
        { file, reason: expect.stringMatching('half-written') },
      ],
    ]);
  });

  test('is as it is without a catalogue', async () => {
    const { lookup, created } = joined({});
    await lookup.create([{ ...SHOE }]);
    expect(created).toEqual([SHOE]);
  });
});

function joined(env: Record<string, string>) {
  const created: HotItemEvent[] = [];
  const warned: unknown[] = [];
  const index: EventLookup = {
    name: 'an index',
    most: 1000,
    count: async (ids) => ids.map(() => 0),
    async create(events) {
      created.push(...events);
      return events.map(() => ({ status: 'created' }));
    },
    refresh: async () => true,
    refreshMs: 0,
    close: async () => {},
  };
  const config = loadConfig({ env, flags: {} });
  const lookup = joinLookup(index, { config, warn: (_, ...said) => void warned.push(said) });
  return { lookup, created, warned };
}
