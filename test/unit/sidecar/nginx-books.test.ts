import { beforeEach, describe, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { createMetrics, type Metrics } from '../../../service/metrics.ts';
import { SIDECAR_METRICS } from '../../../sidecar/metrics.ts';
import { createNginxBooks, type NginxBooks } from '../../../sidecar/nginx-books.ts';
import type { NginxReport } from '../../../sidecar/nginx-report.ts';

let metrics: Metrics<typeof SIDECAR_METRICS>;
let books: NginxBooks;
let now: number;

beforeEach(() => {
  now = 1_000_000;
  metrics = createMetrics(new Registry(), SIDECAR_METRICS);
  books = createNginxBooks({ metrics, now: () => now });
  books.report(nothing());
});

describe('unaccounted', () => {
  test.each<[string, Partial<NginxReport>, () => void]>([
    ['posted and taken in', { flushed: 10 }, () => takenIn('intake', 10)],
    ['posted twice', { flushed: 10 }, () => takenIn('intake', 20, 10)],
    ['handed over one by one', { handed: 10 }, () => takenIn('intake', 10)],
    ['waiting in the zone', { waiting: 10 }, () => {}],
    ['waiting in the spill folder', { diverted: 10, spilled: 10 }, () => spillWaits(2_000)],
    ['taken in from the spill folder', { diverted: 10, spilled: 10 }, () => takenIn('spill', 10)],
    ['handed over in vain and spilled', { handed: 10, spilled: 10 }, () => takenIn('spill', 10)],
    [
      'taken in too late and spilled as well',
      { handed: 10, spilled: 10 },
      () => {
        takenIn('intake', 10);
        takenIn('spill', 10, 10);
      },
    ],
    ['dropped for want of room', { handed: 10, dropped: 10 }, () => {}],
  ])('is 0 when every view was %s', (_, report, happens) => {
    happens();
    books.report({ ...nothing(), ...report });

    expect(books.accounts()).toMatchObject({ captured: 10, unaccounted: 0 });
  });

  test('counts the views that are nowhere', () => {
    takenIn('intake', 7);
    books.report({ ...nothing(), handed: 10 });

    expect(books.accounts()?.unaccounted).toBe(3);
    expect(metrics.of('nginx_unaccounted').value()).toBe(3);
  });

  test('counts the views that nginx says it spilled, and the disk did not take', () => {
    spillWaits(1_400);
    books.report({ ...nothing(), diverted: 10, spilled: 10 });
    expect(books.accounts()?.unaccounted).toBe(0);

    spillWaits(0);
    takenIn('spill', 7);
    books.report({ ...nothing(), diverted: 10, spilled: 10 });
    expect(books.accounts()?.unaccounted).toBe(3);
  });

  test('leaves out what nginx spilled in the time of a sidecar before this one', () => {
    books.report({ ...nothing(), started: 2, diverted: 100, spilled: 100 });
    spillWaits(2_000);
    books.report({ ...nothing(), started: 2, diverted: 110, spilled: 110 });

    expect(books.accounts()?.unaccounted).toBe(0);
  });

  test('begins with the first report, and again with that of another nginx', () => {
    books.report({ ...nothing(), started: 2, handed: 100 });
    expect(books.accounts()?.unaccounted).toBe(0);

    takenIn('intake', 5);
    books.report({ ...nothing(), started: 2, handed: 106 });
    expect(books.accounts()?.unaccounted).toBe(1);
  });

  test('leaves out the files of the transport log, which nginx does not count', () => {
    takenIn('log', 50);
    books.report(nothing());

    expect(books.accounts()?.unaccounted).toBe(0);
  });
});

test('tells the two ways into the spill folder apart', () => {
  books.report({ ...nothing(), handed: 3, diverted: 4, spilled: 6 });

  expect(metrics.of('nginx_spilled_total', { way: 'away' }).value()).toBe(4);
  expect(metrics.of('nginx_spilled_total', { way: 'failed' }).value()).toBe(2);
});

function spillWaits(bytes: number): void {
  metrics.of('spill_waiting_bytes').set(bytes);
}

function takenIn(from: 'intake' | 'spill' | 'log', lines: number, duplicates = 0): void {
  metrics.of('intake_lines_total', { from }).add(lines);
  metrics.of('intake_duplicates_total', { from }).add(duplicates);
}

function nothing(): NginxReport {
  return {
    started: 1,
    version: 0,
    waiting: 0,
    flushed: 0,
    handed: 0,
    diverted: 0,
    spilled: 0,
    dropped: 0,
    fulls: 0,
  };
}
