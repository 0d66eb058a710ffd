import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { readLines } from '../../../heat/read-lines.ts';
import { temporaryFolder } from '../../parts/guard.ts';

const LONGEST = 256 * 1024;
const folder = temporaryFolder('read-lines');
afterAll(folder.remove);

test.each<[string, string[], string]>([
  ['with a newline behind the last', ['a', 'b', ''], '\n'],
  ['without one', ['a', 'b'], ''],
  [
    'across the pieces that a file is read in',
    Array.from({ length: 400 }, (_, i) => String(i).repeat(5_000)),
    '\n',
  ],
])('lines have their numbers, %s', async (_, lines, end) => {
  expect(await read(`${lines.join('\n')}${end}`)).toEqual(lines.map((text, i) => [i + 1, text]));
});

test.each([
  ['within a piece', 400_000],
  ['over several pieces', 5_000_000],
])('a line that is too long is skipped, %s', async (_, length) => {
  expect(await read(`first\n${'x'.repeat(length)}\nlast\n`)).toEqual([
    [1, 'first'],
    [2, 'too long'],
    [3, 'last'],
  ]);
});

test('a byte order mark at the beginning is skipped', async () => {
  expect(await read('\u{feff}a\n\u{feff}b\n')).toEqual([
    [1, 'a'],
    [2, '\u{feff}b'],
  ]);
});

test('an empty file has no lines', async () => {
  expect(await read('')).toEqual([]);
});

test('a missing file is an error', async () => {
  await expect(
    readLines({ path: join(folder.path, 'nowhere'), longest: 1, onLine() {}, onLongLine() {} }),
  ).rejects.toThrow('ENOENT');
});

async function read(text: string): Promise<[number, string][]> {
  const path = join(folder.path, 'lines');
  writeFileSync(path, text);
  const lines: [number, string][] = [];
  let done = 0;
  await readLines({
    path,
    longest: LONGEST,
    onLine: (bytes, at, until, number) => void lines.push([number, bytes.toString('utf8', at, until)]),
    onLongLine: (number) => void lines.push([number, 'too long']),
    onRead(bytes, of) {
      expect(of).toBe(Buffer.byteLength(text));
      done = bytes;
    },
  });
  expect(done).toBe(Buffer.byteLength(text));
  return lines;
}
