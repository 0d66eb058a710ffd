import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createAudit } from '../../../heat/audit-file.ts';
import { temporaryFolder } from '../../parts/guard.ts';

const NOW = Date.UTC(2026, 10, 27, 8);

let folder: ReturnType<typeof temporaryFolder>;
let path: string;
let warned: string[];

beforeEach(() => {
  folder = temporaryFolder('audit');
  path = join(folder.path, 'audit.ndjson');
  warned = [];
});
afterEach(() => folder.remove());

describe('the audit log', () => {
  test('records who did what, when and why, and is not readable by everybody', async () => {
    const audit = create();
    audit.note({ who: 'alice', what: 'pin', item: '4711', reason: 'campaign' });
    await audit.written();
    expect(lines()).toEqual([
      { time: '2026-11-27T08:00:00.000Z', who: 'alice', what: 'pin', item: '4711', reason: 'campaign' },
    ]);
    expect(statSync(path).mode & 0o777).toBe(0o640);
  });

  test('escapes control characters and line breaks in names', async () => {
    const audit = create();
    const item = 'a\u001b[2J\n{"who":"bob"}\u009b31m\u202e<script>\ud800';
    audit.note({ who: 'rule: default', what: 'enters', item, reason: 'r' });
    audit.note({ who: 'rule: default', what: 'leaves', item, reason: 'r' });
    await audit.written();
    const text = readFileSync(path, 'utf8');
    expect(text.split('\n')).toHaveLength(3);
    expect(text).not.toMatch(/[^\x20-\x7e\n]/);
    expect(lines()[0]).toMatchObject({ item });
  });

  test('is bounded: a full file is rotated, and the previous one deleted', async () => {
    const audit = create(1_000);
    for (let i = 0; i < 30; i++) {
      audit.note({ who: 'w', what: 'pin', item: `${i}`, reason: 'x'.repeat(200) });
      await audit.written();
    }
    expect(statSync(path).size).toBeLessThan(1_500);
    expect(statSync(`${path}.1`).size).toBeLessThan(1_500);
    expect(lines().at(-1)).toMatchObject({ item: '29' });
  });

  test('warns if it cannot be written, and does not grow in memory', async () => {
    mkdirSync(path);
    const audit = create();
    for (let i = 0; i < 10_001; i++) audit.note({ who: 'w', what: 'pin', reason: '' });
    await audit.written();
    expect(new Set(warned)).toEqual(
      new Set([
        'the audit log cannot keep up: changes of the hot list are missing in it',
        'the audit log cannot be written',
      ]),
    );
  });

  test('appends to an existing file', async () => {
    writeFileSync(path, '{"before":1}\n');
    const audit = create();
    audit.note({ who: 'w', what: 'thaw', reason: '' });
    await audit.written();
    expect(lines()).toHaveLength(2);
  });
});

function create(largestBytes?: number) {
  return createAudit({
    path,
    now: () => NOW,
    warn: (_key, message) => void warned.push(message),
    ...(largestBytes !== undefined && { largestBytes }),
  });
}

function lines(): unknown[] {
  return readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}
