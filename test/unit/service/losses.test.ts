import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createLosses, type Losses, type LossSource } from '../../../service/losses.ts';

const HOUR_MS = 3_600_000;

let folder: string;
let path: string;
let now: number;
let dropped: number | undefined;
let missing: number | undefined;
let damaged: number;
let losses: Losses;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hotitem-losses-'));
  path = join(folder, 'home', 'losses.json');
  now = 1_000_000;
  dropped = 0;
  missing = 0;
  damaged = 0;
  start();
});
afterEach(() => rmSync(folder, { recursive: true }));

test('reports since when, until when and how many', async () => {
  await losses.look();
  expect(losses.list()).toEqual([]);
  dropped = 10;
  await losses.look();
  now += 60_000;
  dropped = 30;
  await losses.look();

  expect(losses.list()).toEqual([
    { reason: 'dropped', views: 30, first: 1_000_000, last: 1_060_000, total: 30 },
  ]);
});

test('starts a new period after an hour without a loss, and keeps the total', async () => {
  dropped = 10;
  await losses.look();
  now += HOUR_MS + 1;
  dropped = 11;
  await losses.look();

  expect(losses.list()).toMatchObject([{ views: 1, first: now, total: 11 }]);
});

test('has a total for each reason, also for one without a loss', async () => {
  dropped = 10;
  await losses.look();

  expect([losses.total('dropped'), losses.total('damaged')]).toEqual([10, 0]);
});

test('lists the latest one first', async () => {
  damaged = 1;
  await losses.look();
  now += 1;
  dropped = 1;
  await losses.look();

  expect(losses.list().map(({ reason }) => reason)).toEqual(['dropped', 'damaged']);
});

test('subtracts what arrived after all, and only there', async () => {
  missing = 5;
  dropped = 5;
  await losses.look();
  missing = 2;
  dropped = 2;
  await losses.look();
  expect(losses.list()).toMatchObject([
    { reason: 'dropped', views: 5 },
    { reason: 'missing', views: 2 },
  ]);
  missing = 0;
  await losses.look();
  expect(losses.list().map(({ reason }) => reason)).toEqual(['dropped']);
});

test('survives a restart, and counts nothing twice', async () => {
  dropped = 30;
  damaged = 4;
  await losses.look();
  // Of the process, it begins again.
  damaged = 0;
  now += 1_000;
  start();
  await losses.look();
  damaged = 1;
  await losses.look();

  expect(losses.list()).toEqual([
    { reason: 'damaged', views: 5, first: 1_000_000, last: 1_001_000, total: 5 },
    { reason: 'dropped', views: 30, first: 1_000_000, last: 1_000_000, total: 30 },
  ]);
});

test('waits for a source that has no data yet', async () => {
  dropped = 30;
  await losses.look();
  dropped = undefined;
  start();
  await losses.look();
  dropped = 30;
  await losses.look();

  expect(losses.list()).toMatchObject([{ reason: 'dropped', views: 30 }]);
});

test('writes nothing while nothing is lost, and survives a damaged file', async () => {
  await losses.look();
  expect(existsSync(path)).toBe(false);
  dropped = 1;
  await losses.look();
  expect(JSON.parse(readFileSync(path, 'utf8'))).toHaveLength(1);
  writeFileSync(path, '{"half');
  start();
  expect(losses.list()).toEqual([]);
});

function start(): void {
  const sources: LossSource[] = [
    { reason: 'dropped', total: () => dropped, lasts: true },
    { reason: 'missing', total: () => missing, lasts: true, falls: true },
    { reason: 'damaged', total: () => damaged },
  ];
  losses = createLosses({ path, sources, now: () => now, warn: () => {} });
}
