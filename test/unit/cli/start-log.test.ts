import { readFileSync } from 'node:fs';
import { afterAll, expect, jest, test } from '@jest/globals';
import { startLog } from '../../../cli/start-log.ts';
import { createLog } from '../../../service/log.ts';
import { temporaryFolder } from '../../parts/guard.ts';

const { path: folder, remove } = temporaryFolder('start-log');
afterAll(remove);

test('a warning of hotitem start carries no escape sequence to the terminal or into its file, and is one line', () => {
  const written: string[] = [];
  const stderr = jest
    .spyOn(process.stderr, 'write')
    .mockImplementation((text) => written.push(String(text)) > 0);
  const { destination, path } = startLog(folder);
  createLog('info', destination).warn({ reason: 'a\x9b31m\nhotitem: all is well' }, 'Kafka\x1b[2J');
  stderr.mockRestore();
  expect(written.join('')).toBe('hotitem: Kafka\\x1b[2J (a\\x9b31m\\nhotitem: all is well)\n');
  expect(readFileSync(path, 'utf8')).toMatch(/^\P{C}+\n$/u);
});
