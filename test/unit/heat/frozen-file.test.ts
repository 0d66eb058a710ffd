import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createFrozenFile } from '../../../heat/frozen-file.ts';
import { temporaryFolder } from '../../parts/guard.ts';

const freeze = { since: 5, by: 'alice', reason: 'too hot' };

let folder: ReturnType<typeof temporaryFolder>;
let path: string;

beforeEach(() => {
  folder = temporaryFolder('frozen');
  path = join(folder.path, 'heat-frozen.json');
});
afterEach(() => folder.remove());

describe('a frozen hot list', () => {
  test('stays frozen after a restart, with user and reason, until it is thawed', async () => {
    await createFrozenFile(path, now).freeze(freeze);
    const next = createFrozenFile(path, now);
    expect(next.state()).toEqual(freeze);
    await next.thaw();
    expect(next.state()).toBeUndefined();
    expect(existsSync(path)).toBe(false);
    expect(createFrozenFile(path, now).state()).toBeUndefined();
  });

  test('of a freeze and a thaw that come together, the last one holds, also after a restart', async () => {
    const frozen = createFrozenFile(path, now);
    await Promise.all([frozen.freeze(freeze), frozen.thaw()]);
    expect([frozen.state(), createFrozenFile(path, now).state()]).toEqual([undefined, undefined]);
    await frozen.freeze(freeze);
    const later = { ...freeze, by: 'bob' };
    await Promise.all([frozen.thaw(), frozen.freeze(later)]);
    expect([frozen.state(), createFrozenFile(path, now).state()]).toEqual([later, later]);
  });

  test.each(['', '{"since":', 'null'])('stays frozen if the file contains %j', (text) => {
    writeFileSync(path, text);
    expect(createFrozenFile(path, now).state()).toMatchObject({ since: 7, by: 'unknown' });
  });
});

function now(): number {
  return 7;
}
