import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { catalogueReport } from '../../../app/rules/catalogue-rules.ts';
import { loadConfig } from '../../../service/config/config.ts';
import { testAsRoot } from '../../parts/as-root.ts';
import { ANOTHER_USER } from '../../parts/attacker.ts';
import { temporaryFolder } from '../../parts/guard.ts';

let folder: ReturnType<typeof temporaryFolder>;
let file: string;
beforeAll(() => {
  folder = temporaryFolder('catalogue-rules');
  file = join(folder.path, 'catalogue.csv');
});
afterAll(() => folder.remove());

test('check says how many items a catalogue has, and names each bad row by its line', async () => {
  writeFileSync(file, 'id,name,image\n1,a,http://x/a.jpg\n,b,\n3,"c"c,\n4,d,\n');
  expect(await report()).toEqual({
    summary: `catalogue ${file}: 2 items in 2 MiB, 2 rows left out, 1 images are not shown (catalogue.image_hosts)`,
    findings: [
      expect.objectContaining({ id: 'catalogue-row', what: 'id: is empty', where: { file, line: 3 } }),
      expect.objectContaining({ severity: 'warning', where: { file, line: 4 } }),
    ],
  });
});

test('check names a column that is probably misspelt', async () => {
  writeFileSync(file, '{"id":"1","nmae":"a"}\n');
  expect((await report()).findings).toEqual([
    expect.objectContaining({
      id: 'catalogue-column',
      severity: 'warning',
      what: `catalogue ${file}: "nmae" is not read, did you mean name?`,
    }),
  ]);
});

test('check shows the first bad rows, and how many there are', async () => {
  writeFileSync(file, `id\n1\n${'1\n'.repeat(50)}`);
  const { findings } = await report();
  expect(findings.length).toBe(21);
  expect(findings.at(-1)?.what).toBe('30 rows more are left out; the first 20 are shown');
});

test('check says why a catalogue cannot be used', async () => {
  writeFileSync(file, 'sku\n1\n');
  const { findings, summary } = await report();
  expect(summary).toBe('');
  expect(findings).toMatchObject([
    { id: 'catalogue', severity: 'error', what: expect.stringMatching(/no column "id" \(got "sku"\)/) },
  ]);
});

testAsRoot('check as root says that the user of the service may not be able to read it', async () => {
  const home = join(folder.path, 'home');
  mkdirSync(home);
  chownSync(home, ANOTHER_USER, ANOTHER_USER);
  writeFileSync(file, 'id\n1\n');
  chmodSync(file, 0o640);
  const env = { HOTITEM_CATALOGUE_FILE: file, HOTITEM_HOME: home };
  const ids = async () =>
    (await catalogueReport(loadConfig({ env, flags: {} }))).findings.map(({ id }) => id);
  expect(await ids()).toEqual(['catalogue-unreadable']);
  chownSync(file, 0, ANOTHER_USER);
  expect(await ids()).toEqual([]);
  chmodSync(file, 0o600);
  expect(await ids()).toEqual(['catalogue-unreadable']);
  chmodSync(file, 0o644);
  expect(await ids()).toEqual([]);
});

test('check says nothing where no catalogue is configured', async () => {
  expect(await catalogueReport(loadConfig({ env: {}, flags: {} }))).toEqual({ findings: [], summary: '' });
});

function report() {
  return catalogueReport(loadConfig({ env: { HOTITEM_CATALOGUE_FILE: file }, flags: {} }));
}
