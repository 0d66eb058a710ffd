import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { cacheFolder, obtain } from '../../../provision/cache.ts';
import { testAsRoot } from '../../parts/as-root.ts';
import { attack, sharedFolder } from '../../parts/attacker.ts';
import { temporaryFolder } from '../../parts/guard.ts';

const UNFINISHED = '.hotitem-unfinished';
const shared = sharedFolder('cache');
afterAll(() => shared.remove());

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

test('a part is created once, and used silently afterwards', async () => {
  const said: string[] = [];
  const part = () => obtain({ ...complete, report: (line) => said.push(line) });

  const first = await part();
  const lines = said.length;

  expect(await part()).toBe(first);
  expect(said).toHaveLength(lines);
  expect(parts()).toEqual(['part-1']);
});

test('on a terminal a download says how far it is, in a line that is gone in the end, and in no others', async () => {
  const [said, shown]: [string[], unknown[]] = [[], []];
  let isShown = () => {};
  const seen = new Promise<void>((resolve) => {
    isShown = resolve;
  });
  await obtain({
    ...complete,
    report: (line) => said.push(line),
    downloading() {
      shown.push('begin');
      return {
        show(done, of) {
          shown.push([done, of]);
          isShown();
        },
        end: () => shown.push('end'),
      };
    },
    async make(folder, onDownload) {
      onDownload(folder, 0);
      expect(shown).toEqual([]);
      writeFileSync(join(folder, 'half'), 'x'.repeat(2_000));
      onDownload(folder, 4_000);
      await seen;
    },
  });
  expect(shown.slice(0, 2)).toEqual(['begin', [2_000, 4_000]]);
  expect(shown.at(-1)).toBe('end');
  expect(said.map((line) => line.split(' ')[0])).toEqual(['obtaining', 'done']);
});

test('an incomplete part is not in the cache', async () => {
  const make = async (folder: string) => {
    await complete.make(folder);
    throw new Error('cut off');
  };

  await expect(obtain({ ...complete, make })).rejects.toThrow('cut off');

  expect(parts()).toEqual([]);
});

test('two processes that create the same part at once both get it complete', async () => {
  const folders = await Promise.all([obtain(complete), obtain(complete)]);

  expect(folders.map((folder) => readdirSync(folder))).toEqual([['file'], ['file']]);
  expect(parts()).toEqual(['part-1']);
});

test('a part that another process unpacks is not removed, however old its package', async () => {
  const make = async (folder: string) => {
    utimesSync(folder, new Date(0), new Date(0));
    await obtain({ ...complete, name: 'part-2' });
    await complete.make(folder);
  };

  await obtain({ ...complete, make });

  expect(parts()).toEqual(['part-1', 'part-2']);
});

test('what a killed process left an hour ago is removed', async () => {
  const abandoned = join(cache.path, UNFINISHED, 'part-1-abandoned');
  mkdirSync(abandoned, { recursive: true });
  const now = Date.now();
  jest.spyOn(Date, 'now').mockImplementation(() => now + 61 * 60_000);

  await obtain(complete);

  expect(parts()).toEqual(['part-1']);
  expect(existsSync(abandoned)).toBe(false);
});

test('a cache in a folder with other files removes none of them', async () => {
  const theirs = ['.git', '.ssh', '.config-backup', '.part-1-abc123', 'src'];
  for (const name of theirs) {
    mkdirSync(join(cache.path, name));
    writeFileSync(join(cache.path, name, 'file'), '');
  }
  const now = Date.now();
  jest.spyOn(Date, 'now').mockImplementation(() => now + 61 * 60_000);

  await obtain(complete);

  expect(parts()).toEqual([...theirs, 'part-1'].sort());
  for (const name of theirs) expect(readdirSync(join(cache.path, name))).toEqual(['file']);
});

testAsRoot('a part that another user put there is not used', async () => {
  await attack(shared.path, 'mkdir -p cache/part-1 && touch cache/part-1/file');
  process.env.HOTITEM_CACHE = join(shared.path, 'cache');

  await expect(obtain(complete)).rejects.toThrow('belongs to the user 65534, not to root');
});

test('a cache folder of ours that everybody may change is closed, with a message', async () => {
  chmodSync(cache.path, 0o777);
  const said: string[] = [];

  await obtain({ ...complete, report: (line) => said.push(line) });

  expect(statSync(cache.path).mode & 0o777).toBe(0o755);
  expect(said[0]).toContain('can be changed by every user of this host');
});

test.each([0o000, 0o077])('a cache created with the umask %o can be used by everybody', async (mask) => {
  process.env.HOTITEM_CACHE = join(cache.path, 'a/b');
  const before = process.umask(mask);
  const folder = await obtain(complete).finally(() => process.umask(before));

  for (const path of ['a', 'a/b']) expect(statSync(join(cache.path, path)).mode & 0o777).toBe(0o755);
  expect(statSync(folder).mode & 0o777).toBe(0o755);
});

function parts(): string[] {
  return readdirSync(cache.path)
    .filter((name) => name !== UNFINISHED)
    .sort();
}

const complete = {
  name: 'part-1',
  what: 'a part',
  report: () => {},
  make: async (folder: string) => writeFileSync(join(folder, 'file'), ''),
};
