import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { cacheFolder, obtain } from '../../../provision/cache.ts';
import { temporaryFolder } from '../../parts/guard.ts';

let cache: ReturnType<typeof temporaryFolder>;
const before = process.env.HOTITEM_CACHE;
beforeEach(() => {
  cache = temporaryFolder('cache');
  process.env.HOTITEM_CACHE = cache.path;
});
afterEach(() => {
  jest.restoreAllMocks();
  cache.remove();
  if (before === undefined) delete process.env.HOTITEM_CACHE;
  else process.env.HOTITEM_CACHE = before;
});

test.each([
  [{ HOTITEM_CACHE: '/a', XDG_CACHE_HOME: '/b' }, '/a'],
  [{ XDG_CACHE_HOME: '/b' }, '/b/hotitem'],
])('the cache of %j is %s', (env, folder) => {
  expect(cacheFolder(env)).toBe(folder);
});

test('a part is made once, and silently there afterwards', async () => {
  const said: string[] = [];
  const part = () => obtain({ ...complete, report: (line) => said.push(line) });

  const first = await part();
  const lines = said.length;

  expect(await part()).toBe(first);
  expect(said).toHaveLength(lines);
  expect(readdirSync(cache.path)).toEqual(['part-1']);
});

test('a part that could not be made whole is not there', async () => {
  const make = async (folder: string) => {
    await complete.make(folder);
    throw new Error('cut off');
  };

  await expect(obtain({ ...complete, make })).rejects.toThrow('cut off');

  expect(readdirSync(cache.path)).toEqual([]);
});

test('two that make the same part at once both have it whole', async () => {
  const folders = await Promise.all([obtain(complete), obtain(complete)]);

  expect(folders.map((folder) => readdirSync(folder))).toEqual([['file'], ['file']]);
  expect(readdirSync(cache.path)).toEqual(['part-1']);
});

test('a part that another process is unpacking is left alone, however old its package', async () => {
  const make = async (folder: string) => {
    utimesSync(folder, new Date(0), new Date(0));
    await obtain({ ...complete, name: 'part-2' });
    await complete.make(folder);
  };

  await obtain({ ...complete, make });

  expect(readdirSync(cache.path)).toEqual(['part-1', 'part-2']);
});

test('what a killed process left an hour ago is removed', async () => {
  mkdirSync(join(cache.path, '.part-1-abandoned'));
  const now = Date.now();
  jest.spyOn(Date, 'now').mockImplementation(() => now + 61 * 60_000);

  await obtain(complete);

  expect(readdirSync(cache.path)).toEqual(['part-1']);
});

const complete = {
  name: 'part-1',
  what: 'a part',
  report: () => {},
  make: async (folder: string) => writeFileSync(join(folder, 'file'), ''),
};
