import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { createDeadLetterFileBox } from '../../../../store/dead-letters/file.ts';
import { temporaryFolder } from '../../../parts/guard.ts';

test('reading dead letters can be ended before the first is passed on, since all are looked at first', async () => {
  const folder = temporaryFolder('letters');
  const path = join(folder.path, 'dead.ndjson');
  const letter = { time: '2026-11-27T17:00:00Z', reason: 'because', origin: 'x/0/1', value: 'x' };
  writeFileSync(path, `${JSON.stringify(letter)}\n`.repeat(3));
  const passed: string[] = [];
  const end = () => {
    throw new Error('it takes too long');
  };

  const read = createDeadLetterFileBox(path).read(({ reason }) => void passed.push(reason), end);
  await expect(read).rejects.toThrow('it takes too long');
  expect(passed).toEqual([]);
  folder.remove();
});
