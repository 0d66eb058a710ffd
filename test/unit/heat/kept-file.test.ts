import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { createKeptFile, type KeptFile } from '../../../heat/kept-file.ts';
import { temporaryFolder } from '../../parts/guard.ts';

let folder: ReturnType<typeof temporaryFolder>;
let path: string;
let warned: string[];

beforeEach(() => {
  folder = temporaryFolder('kept');
  path = join(folder.path, 'kept.json');
  warned = [];
});
afterEach(() => folder.remove());

describe('a kept file', () => {
  test('returns what was saved last', async () => {
    const file = create();
    let value = { count: 1 };
    for (let i = 1; i <= 100; i++) {
      value = { count: i };
      file.save(() => value);
    }
    await file.settled();
    expect(create().load()).toEqual({ count: 100 });
    expect(existsSync(`${path}.new`)).toBe(false);
  });

  test('is missing at first, without a message', () => {
    expect(create().load()).toBeUndefined();
    expect(warned).toEqual([]);
  });

  test.each([
    ['torn', '{"count":'],
    ['of another kind', '{"count":"many"}'],
    ['too long', JSON.stringify({ count: 1, rest: 'x'.repeat(2_000) })],
  ])('that is %s is set aside and reported', (_, text) => {
    writeFileSync(path, text);
    expect(create().load()).toBeUndefined();
    expect(warned).toEqual(['the numbers from before the restart are lost']);
    expect(readFileSync(`${path}.damaged`, 'utf8')).toBe(text);
    expect(existsSync(path)).toBe(false);
  });

  test('that cannot be written is reported, and to a waiting caller, too', async () => {
    mkdirSync(path);
    const file = create();
    file.save(() => ({ count: 1 }));
    await expect(file.saveNow(() => ({ count: 1 }))).rejects.toThrow();
    expect(warned).toEqual(['the numbers cannot be stored for a restart']);
  });
});

function create(): KeptFile<{ count: number }> {
  return createKeptFile({
    path,
    schema: z.object({ count: z.number() }),
    what: 'the numbers',
    mostBytes: 1_000,
    warn: (_key, message) => void warned.push(message),
  });
}
