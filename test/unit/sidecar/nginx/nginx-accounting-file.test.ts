import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createAccountingFile, type Remembered } from '../../../../sidecar/nginx/nginx-accounting-file.ts';
import { until } from '../../../parts/until.ts';

const TOTALS = { captured: 9, waiting: 0, spilled: 1, diverted: 1, dropped: 0, fulls: 0 };
const STORED: Remembered = {
  since: 1,
  instances: [{ ...TOTALS, started: 1, instance: 2 }],
  past: TOTALS,
  posted: 2,
  spilled: 3,
  spilledGap: 4,
  intake: 5,
  spill: 6,
  known: 7,
  sequence: 8,
};
let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hotitem-accounting-'));
  path = join(folder, 'nginx-accounting.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a stored state is there for the next sidecar', async () => {
  createAccountingFile(path, refuse).store(STORED);

  await until(() => createAccountingFile(path, refuse).load() !== undefined, {
    timeoutMs: 60_000,
    what: 'the file',
  });
  expect(createAccountingFile(path, refuse).load()).toEqual(STORED);
});

test('nothing is written if nothing has changed', async () => {
  const file = createAccountingFile(path, refuse);
  file.store(STORED);
  await until(() => existsSync(path), { timeoutMs: 60_000, what: 'the file' });
  // It is written once its rename is heard of here, too: on a machine that stands still, after that sleep.
  await sleep(50);
  await new Promise(setImmediate);
  rmSync(path);
  // While one text is written no other is taken: the second of these shows that the first was not written.
  file.store({ ...STORED });
  file.store({ ...STORED, intake: 6 });
  await until(() => file.load()?.intake === 6, { timeoutMs: 60_000, what: 'the changed accounting' });
});

test.each([
  ['no file', undefined],
  ['half a file', '{"started":1,"po'],
  ['a file of something else', '{"started":"yesterday"}'],
])('with %s the accounting starts again', (_, text) => {
  if (text !== undefined) writeFileSync(path, text);

  expect(createAccountingFile(path, refuse).load()).toBeUndefined();
});

test('a file of an earlier version is continued under the new name', () => {
  const former = join(folder, 'nginx-books.json');
  writeFileSync(former, JSON.stringify(STORED));

  expect(createAccountingFile(path, refuse).load()).toEqual(STORED);
  expect(existsSync(former)).toBe(false);
  expect(existsSync(path)).toBe(true);
});

test.each([
  ['does not replace a newer one', 1_000, STORED.intake],
  ['is continued after a downgrade', 3_000, 99],
])('a file of an earlier version %s', (_, changed, intake) => {
  const former = join(folder, 'nginx-books.json');
  writeFileSync(former, JSON.stringify({ ...STORED, intake: 99 }));
  writeFileSync(path, JSON.stringify(STORED));
  utimesSync(former, changed, changed);
  utimesSync(path, 2_000, 2_000);

  expect(createAccountingFile(path, refuse).load()?.intake).toBe(intake);
});

test('a file of an earlier version that cannot be renamed is reported', () => {
  const said: string[] = [];
  mkdirSync(path);
  utimesSync(path, 1_000, 1_000);
  writeFileSync(join(folder, 'nginx-books.json'), JSON.stringify(STORED));

  createAccountingFile(path, (_, message) => said.push(message)).load();

  expect(said).toEqual([expect.stringContaining('nginx-books.json of an earlier version cannot be renamed')]);
});

test('a file that cannot be written is reported, and nothing else fails', async () => {
  const said: string[] = [];
  createAccountingFile(join(folder, 'missing/nginx-accounting.json'), (_, message) =>
    said.push(message),
  ).store(STORED);

  await until(() => said.length > 0, { timeoutMs: 60_000, what: 'a warning' });
  expect(said).toEqual([expect.stringContaining('could not be stored')]);
});

function refuse(_: string, message: string): void {
  throw new Error(message);
}
