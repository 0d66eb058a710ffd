import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  createHotFolder,
  type HotFolder,
  type HotFolderOptions,
  periodOf,
} from '../../../heat/hot-folder.ts';
import { testAsRoot } from '../../parts/as-root.ts';
import { ANOTHER_USER } from '../../parts/attacker.ts';

const START = 1_795_355_712_163;
const PERIOD = 179_535_571;

let home: string;
let dir: string;
let now: number;
let warned: object[];
let folder: HotFolder;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'hotitem-hot-'));
  dir = join(home, 'run', 'hot');
  now = START;
  warned = [];
  folder = open();
});
afterEach(() => rmSync(home, { recursive: true }));

test('after an update, an item has files for this period and the next', () => {
  expect(folder.update([{ item: '4711', actions: ['cache'] }])).toEqual(new Map());

  const files = ['cache/i.4711', 'hot/i.4711'];
  expect(found()).toEqual({ [PERIOD]: files, [PERIOD + 1]: files });
  expect(folder.stats()).toMatchObject({ files: 2, faults: 0, odd: 0 });
});

test('the period is the part of $msec that nginx uses', () => {
  for (const time of [START, 1_795_355_710_000, 1_795_355_709_999]) {
    expect(String(periodOf(time))).toBe((time / 1_000).toFixed(3).slice(0, 9));
  }
});

test('an item that is no longer hot is removed from every period at once', () => {
  folder.update(items('4711', '4712'));
  pass(10_000);
  folder.update(items('4712'));

  expect(found()).toEqual({
    [PERIOD]: ['hot/i.4712'],
    [PERIOD + 1]: ['hot/i.4712'],
    [PERIOD + 2]: ['hot/i.4712'],
  });
});

test('an action that has ended is removed, and the item stays', () => {
  folder.update([{ item: '4711', actions: ['cache', 'limit'] }]);
  folder.update([{ item: '4711', actions: ['limit'] }]);

  expect(found()[PERIOD]).toEqual(['hot/i.4711', 'limit/i.4711']);
});

test('a period is removed when the one after it has ended, too', () => {
  folder.update(items('4711'));
  pass(10_000);
  expect(Object.keys(found())).toEqual([PERIOD, PERIOD + 1, PERIOD + 2].map(String));
  pass(10_000);
  expect(Object.keys(found())).toEqual([PERIOD + 1, PERIOD + 2, PERIOD + 3].map(String));
});

test('without a tick no file is valid for longer than twenty seconds', () => {
  folder.update(items('4711'));

  const last = Math.max(...Object.keys(found()).map(Number));
  expect((last + 1) * 10_000 - now).toBeLessThanOrEqual(20_000);
});

test.each([
  ['back', -3_600_000],
  ['forward', 3_600_000],
])('after the clock is set %s, the items are at the new time and nothing is left at the old one', (_, by) => {
  folder.update(items('4711'));
  pass(by);

  const period = periodOf(START + by);
  expect(found()).toEqual({ [period]: ['hot/i.4711'], [period + 1]: ['hot/i.4711'] });
});

test('freezing removes everything until the next update', () => {
  folder.update(items('4711', '4712'));
  folder.freeze();
  expect(Object.values(found()).flat()).toEqual([]);
  pass(10_000);
  expect(Object.values(found()).flat()).toEqual([]);
  folder.update(items('4711'));
  expect(found()[PERIOD + 1]).toEqual(['hot/i.4711']);
});

test('stopping removes all files that it created', () => {
  folder.update([{ item: '4711', actions: ['cache'] }]);
  folder.stop();

  expect(readdirSync(dir)).toEqual([]);
});

test('the first update removes what a killed process left, without a gap for items that are still hot', () => {
  folder.update(items('4711', '4712'));
  const before = statSync(path('hot/i.4711')).ino;
  folder = open();
  folder.update(items('4711'));

  expect(found()).toEqual({ [PERIOD]: ['hot/i.4711'], [PERIOD + 1]: ['hot/i.4711'] });
  expect(statSync(path('hot/i.4711')).ino).toBe(before);
});

test('the first tick removes old periods of a killed process', () => {
  folder.update(items('4711'));
  now += 3_600_000;
  folder = open();
  folder.tick();

  expect(readdirSync(dir)).toEqual([]);
});

test('an item that cannot be a file is reported, and the others are created', () => {
  const refused = folder.update(
    items('/nothing', 'a\nb', '-', 'x'.repeat(201), '4711', '..', 'none', '红色'),
  );

  expect([...refused.keys()]).toEqual(['/nothing', 'a\nb', '-', 'x'.repeat(201)]);
  expect(refused.get('/nothing')).toBe('cannot be acted on: its name holds a slash');
  expect(found()[PERIOD]).toEqual(['hot/i...', 'hot/i.4711', 'hot/i.none', 'hot/i.红色'].sort());
  expect(folder.failure()).toBeUndefined();
});

test('more items than it holds are reported', () => {
  folder = open({ most: 2 });
  const refused = folder.update(items('1', '2', '3'));

  expect(refused).toEqual(new Map([['3', 'cannot be acted on: the hot list holds 2 items already']]));
  expect(found()[PERIOD]).toEqual(['hot/i.1', 'hot/i.2']);
});

test('files that are created together are links to one, and the others stay when it is removed', () => {
  folder.update([...items('1', '2'), { item: '3', actions: ['cache'] }]);
  const files = ['hot/i.1', 'hot/i.2', 'cache/i.3', 'hot/i.3'];
  const all = files.map((file) => statSync(path(file)));
  // The first in a folder of its own is created with that folder.
  expect(new Set(all.map(({ ino }) => ino)).size).toBe(2);
  expect(all.map(({ mode }) => mode & 0o7777)).toEqual(files.map(() => 0o640));
  folder.update(items('2', '3'));
  expect(found()[PERIOD]).toEqual(['hot/i.2', 'hot/i.3']);
  expect(folder.failure()).toBeUndefined();
});

test('many items are created at once for this period, and gradually for the next', () => {
  const names = Array.from({ length: 250 }, (_, i) => String(i));
  folder.update(items(...names));
  expect(found()[PERIOD]).toHaveLength(250);
  expect(found()[PERIOD + 1]).toHaveLength(100);
  pass(100);
  pass(100);
  expect(found()[PERIOD + 1]).toHaveLength(250);
});

test('only the group may read it, whatever the umask', () => {
  const before = process.umask(0o077);
  try {
    folder.update(items('4711'));
  } finally {
    process.umask(before);
  }
  const modes = ['', 'hot', 'hot/i.4711'].map((name) => statSync(path(name)).mode & 0o7777);
  expect([statSync(dir).mode & 0o7777, ...modes]).toEqual([0o750, 0o750, 0o750, 0o640]);
});

testAsRoot('all in it has the group of the workers, one that is there already as well', () => {
  mkdirSync(dir, { recursive: true, mode: 0o777 });
  folder = open({ gid: ANOTHER_USER });
  folder.update(items('4711'));

  const all = [dir, ...['', 'hot', 'hot/i.4711'].map(path)].map((name) => statSync(name));
  expect(all.map(({ gid }) => gid)).toEqual(all.map(() => ANOTHER_USER));
  expect(all.map(({ mode }) => mode & 0o7777)).toEqual([0o2750, 0o2750, 0o2750, 0o640]);
});

describe('somebody removes', () => {
  test('the folder: it is created again', () => {
    folder.update(items('4711'));
    rmSync(dir, { recursive: true });
    folder.tick();

    expect(found()).toEqual({ [PERIOD]: ['hot/i.4711'], [PERIOD + 1]: ['hot/i.4711'] });
    expect(folder.failure()).toBeUndefined();
  });

  test('its content: the next update works, and the next period restores the rest', () => {
    folder.update(items('4711'));
    for (const name of readdirSync(dir)) rmSync(join(dir, name), { recursive: true });
    folder.update(items('4711', '4712'));
    expect(found()[PERIOD]).toEqual(['hot/i.4712']);
    pass(10_000);

    expect(found()[PERIOD + 1]).toEqual(['hot/i.4711', 'hot/i.4712']);
    expect(folder.failure()).toBeUndefined();
  });

  test('a file: its removal does not fail later', () => {
    folder.update(items('4711'));
    rmSync(path('hot/i.4711'));
    folder.update([]);

    expect(folder.failure()).toBeUndefined();
  });
});

describe('a hostile folder', () => {
  let victim: string;
  beforeEach(() => {
    victim = join(home, 'victim');
    mkdirSync(victim);
    writeFileSync(join(victim, 'i.4711'), 'precious');
    mkdirSync(join(home, 'run'));
  });
  afterEach(() => {
    expect(readdirSync(victim)).toEqual(['i.4711']);
    expect(readFileSync(join(victim, 'i.4711'), 'utf8')).toBe('precious');
  });

  test.each<[string, () => void, string]>([
    ['a link to a folder', () => symlinkSync(victim, dir), 'heat.dir: is a symbolic link (got DIR)'],
    ['a link to nothing', () => symlinkSync('/nonexistent', dir), 'heat.dir: is a symbolic link (got DIR)'],
    ['a file', () => writeFileSync(dir, ''), 'heat.dir: is no folder (got DIR)'],
    ['a pipe', () => spawnSync('mkfifo', [dir]), 'heat.dir: is no folder (got DIR)'],
    ['a folder of other things', () => renameSync(victim, dir), 'heat.dir: holds "i.4711"'],
    [
      'a folder with a link',
      () => plant(() => symlinkSync(victim, join(dir, String(PERIOD)))),
      `heat.dir: holds "${PERIOD}"`,
    ],
    [
      'a folder with a file',
      () => plant(() => writeFileSync(join(dir, String(PERIOD)), '')),
      `heat.dir: holds "${PERIOD}"`,
    ],
  ])('%s in its place is rejected, and kept', (name, put, why) => {
    put();
    const before = lstatSync(dir).ino;
    folder.update(items('4711'));

    expect(folder.failure()).toContain(why.replace('DIR', dir));
    expect(warned).toContainEqual({ reason: folder.failure() });
    expect(lstatSync(dir).ino).toBe(before);
    if (name === 'a folder of other things') renameSync(dir, victim);
  });

  testAsRoot('of another user is refused', () => {
    mkdirSync(dir);
    spawnSync('chown', [String(ANOTHER_USER), dir]);
    chmodSync(dir, 0o777);
    folder.update(items('4711'));

    expect(folder.failure()).toBe(
      `heat.dir: belongs to the user ${ANOTHER_USER}, the sidecar runs as 0 (got ${dir})`,
    );
    expect(readdirSync(dir)).toEqual([]);
    expect(statSync(dir).mode & 0o777).toBe(0o777);
  });

  test('a link that replaces it later is not followed, and nothing is created or removed at its target', () => {
    folder.update(items('4711'));
    const moved = join(home, 'moved');
    renameSync(dir, moved);
    symlinkSync(victim, dir);
    folder.update(items('4712'));

    expect(folder.failure()).toBe(`heat.dir: is a symbolic link (got ${dir})`);
    rmSync(dir);
    pass(60_000);
    expect(folder.failure()).toBeUndefined();
    expect(found()[periodOf(now)]).toEqual(['hot/i.4712']);
  });

  test.each<[string, () => void]>([
    ['a link', () => symlinkSync(join(victim, 'i.4711'), path('hot/i.4711'))],
    ['a link to nothing', () => symlinkSync(join(victim, 'i.4712'), path('hot/i.4711'))],
    ['a pipe', () => spawnSync('mkfifo', [path('hot/i.4711')])],
    ['a folder', () => mkdirSync(path('hot/i.4711'))],
  ])('%s in the place of a file is neither followed nor removed, and the others are created', (_, put) => {
    folder.update(items('4712'));
    put();
    const before = lstatSync(path('hot/i.4711')).ino;
    folder.update(items('4710', '4711', '4713'));

    expect(folder.failure()).toBe(`a foreign file is in the way at ${path('hot/i.4711')}`);
    expect(found()[PERIOD]).toEqual(expect.arrayContaining(['hot/i.4710', 'hot/i.4713']));
    pass(60_000);
    folder.update([]);
    expect(lstatSync(path('hot/i.4711')).ino).toBe(before);
    expect(folder.stats().odd).toBeGreaterThan(0);
  });

  testAsRoot("another user's file stays, and what is hot beside it goes", () => {
    folder.update(items('4712'));
    writeFileSync(path('hot/i.4711'), '');
    spawnSync('chown', [String(ANOTHER_USER), path('hot/i.4711')]);
    folder = open();
    folder.update([]);

    expect(found()[PERIOD]).toEqual(['hot/i.4711']);
    expect(warned).toContainEqual({ path: path('hot/i.4711') });
  });
});

describe('two sidecars that use one folder', () => {
  test('both say so while both do: each removes the files of the other', () => {
    const other = open();
    folder.update(items('4711'));
    other.update(items('4712'));
    const both = [folder, other];
    for (let i = 0; i < 250; i++) {
      now += 100;
      for (const one of both) one.tick();
    }
    for (const one of both) {
      expect(one.failure()).toMatch(/^heat.dir: another process creates and removes files/);
      expect(one.stats().ageMs).toBeGreaterThan(10_000);
    }
    other.stop();
    for (let i = 0; i < 400; i++) pass(100);
    expect(folder.failure()).toBeUndefined();
    expect(folder.stats().ageMs).toBe(0);
    expect(found()[periodOf(now)]).toEqual(['hot/i.4711']);
  });
});

describe('a folder that cannot be written', () => {
  // A file in the place of the folder above it: for root no permission would do.
  const block = () => writeFileSync(join(home, 'run'), '');

  test('fails no update, reports why and how often, and is retried with back-off', () => {
    block();
    for (let i = 0; i < 600; i++) {
      folder.update(items('4711'));
      now += 100;
    }

    expect(folder.failure()).toContain('ENOTDIR');
    expect(folder.stats().faults).toBeGreaterThan(3);
    expect(folder.stats().faults).toBeLessThan(12);
  });

  test('loses the periods that are over all the same: on a full disk, they may be what fills it', () => {
    folder.update(items('4711'));
    writeFileSync(join(dir, String(PERIOD + 2)), 'not a folder');
    pass(10_000);
    pass(10_000);
    expect(folder.failure()).toContain(String(PERIOD + 2));
    expect(existsSync(join(dir, String(PERIOD)))).toBe(false);
  });

  test('makes the list older and older, until it is as it should be again', () => {
    folder.update(items('4711'));
    expect(folder.stats().ageMs).toBe(0);
    rmSync(join(home, 'run'), { recursive: true });
    block();
    pass(30_000);
    expect(folder.stats().ageMs).toBeGreaterThan(29_000);
    rmSync(join(home, 'run'));
    pass(31_000);

    expect(folder.stats().ageMs).toBeLessThan(1_000);
  });

  test('makes the list older from then on when the clock was set back', () => {
    folder.update(items('4711'));
    rmSync(join(home, 'run'), { recursive: true });
    block();
    pass(-86_400_000);
    pass(30_000);
    expect(folder.stats().ageMs).toBeGreaterThan(29_000);
  });

  test('is written as soon as possible, and then reports nothing', () => {
    block();
    folder.update(items('4711'));
    rmSync(join(home, 'run'));
    pass(1_000);

    expect(folder.failure()).toBeUndefined();
    expect(found()[PERIOD]).toEqual(['hot/i.4711']);
  });

  test('is retried at once if the clock was set back meanwhile', () => {
    block();
    folder.update(items('4711'));
    rmSync(join(home, 'run'));
    pass(-86_400_000);

    expect(folder.failure()).toBeUndefined();
    expect(found()[periodOf(now)]).toEqual(['hot/i.4711']);
  });
});

function open(options: Partial<HotFolderOptions> = {}): HotFolder {
  return createHotFolder({
    dir,
    now: () => now,
    warn: (_, __, fields = {}) => warned.push(fields),
    ...options,
  });
}

function pass(ms: number): void {
  now += ms;
  folder.tick();
}

function items(...names: string[]) {
  return names.map((item) => ({ item, actions: [] }));
}

/** In the period of the start. */
function path(name: string): string {
  return join(dir, String(PERIOD), name);
}

function plant(put: () => void): void {
  mkdirSync(dir);
  put();
}

/** The files of each period. */
function found(): Record<string, string[]> {
  if (!existsSync(dir)) return {};
  return Object.fromEntries(
    readdirSync(dir).map((period) => [
      period,
      readdirSync(join(dir, period))
        .flatMap((action) => readdirSync(join(dir, period, action)).map((name) => `${action}/${name}`))
        .sort(),
    ]),
  );
}
