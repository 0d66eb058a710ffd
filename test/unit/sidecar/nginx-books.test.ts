import { beforeEach, describe, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { createMetrics, type Metrics } from '../../../service/metrics.ts';
import { SIDECAR_METRICS } from '../../../sidecar/metrics.ts';
import { createNginxBooks, type NginxBooks } from '../../../sidecar/nginx-books.ts';
import type { Remembered } from '../../../sidecar/nginx-books-file.ts';
import type { NginxReport } from '../../../sidecar/nginx-report.ts';

let metrics: Metrics<typeof SIDECAR_METRICS>;
let books: NginxBooks;
let now: number;
let sequence: number;
let remembered: Remembered | undefined;

beforeEach(() => {
  now = 1_000_000;
  sequence = 0;
  remembered = undefined;
  startSidecar();
  books.report(nothing());
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

  test('begins with the first two reports, and again with that of another nginx', () => {
    books.report({ ...nothing(), started: 2, handed: 100 });
    books.report({ ...nothing(), started: 2, handed: 100 });
    expect(books.accounts()?.unaccounted).toBe(0);

    takenIn('intake', 5);
    books.report({ ...nothing(), started: 2, handed: 106 });
    expect(books.accounts()?.unaccounted).toBe(1);
  });

  test('is 0 at rest when views were on their way at the first report', () => {
    books.report({ ...nothing(), started: 2, handed: 103 });
    takenIn('intake', 3);
    rest({ ...nothing(), started: 2, handed: 103 });
    expect(books.accounts()?.unaccounted).toBe(0);

    books.report({ ...nothing(), started: 2, handed: 104 });
    expect(books.accounts()?.unaccounted).toBe(1);
  });

  test('is 0 after views that overtook the first report of an nginx', () => {
    takenIn('intake', 5);
    books.report({ ...nothing(), started: 2 });
    books.report({ ...nothing(), started: 2, handed: 5 });
    rest({ ...nothing(), started: 2, handed: 5 });
    expect(books.accounts()?.unaccounted).toBe(0);

    books.report({ ...nothing(), started: 2, handed: 6 });
    expect(books.accounts()?.unaccounted).toBe(1);
  });

  test('is 0 after views that came faster than the report which counts them', () => {
    takenIn('intake', 5);
    books.report(nothing());
    books.report({ ...nothing(), handed: 5 });

    expect(books.accounts()?.unaccounted).toBe(0);
  });

  test.each<[string, Partial<NginxReport>, () => void, Partial<NginxReport>]>([
    ['in the zone', { waiting: 10 }, () => takenIn('intake', 10), { flushed: 10 }],
    [
      'in the spill folder',
      { handed: 10, spilled: 10 },
      () => {
        takenIn('intake', 10);
        spillWaits(2_000);
      },
      { handed: 10, spilled: 10 },
    ],
  ])(
    'is 0 after views that were taken in and still waited %s, for however long',
    (_, waits, happens, then) => {
      happens();
      rest({ ...nothing(), ...waits });
      if (then.spilled !== undefined) takenIn('spill', 10, 10);
      spillWaits(0);
      rest({ ...nothing(), ...then });

      expect(books.accounts()?.unaccounted).toBe(0);
    },
  );

  test('leaves out what a sidecar before this one took in, also where more waits at the first report', () => {
    spillWaits(2_000);
    books.report({ ...nothing(), started: 2, diverted: 110, spilled: 110 });
    spillWaits(0);
    takenIn('spill', 10);
    books.report({ ...nothing(), started: 2, diverted: 110, spilled: 110 });

    expect(books.accounts()?.unaccounted).toBe(0);
  });

  test('leaves out the files of the transport log, which nginx does not count', () => {
    takenIn('log', 50);
    books.report(nothing());

    expect(books.accounts()?.unaccounted).toBe(0);
  });
});

describe('a sidecar that starts anew', () => {
  test('goes on with what the one before it missed', () => {
    takenIn('intake', 7);
    books.report({ ...nothing(), handed: 10 });
    startSidecar();
    takenIn('intake', 5);
    books.report({ ...nothing(), handed: 15 });

    expect(books.accounts()?.unaccounted).toBe(3);
  });

  test('misses what nginx says it spilled while there was none, and the disk did not take', () => {
    startSidecar();
    spillWaits(1_400);
    books.report({ ...nothing(), diverted: 10, spilled: 10 });
    takenIn('spill', 7);
    spillWaits(0);
    books.report({ ...nothing(), diverted: 10, spilled: 10 });

    expect(books.accounts()?.unaccounted).toBe(3);
  });

  test('misses nothing of what was taken in after the last report, and is in the spool', () => {
    sequence = 100;
    takenIn('intake', 10);
    books.report({ ...nothing(), handed: 10 });
    sequence = 104;
    startSidecar();
    books.report({ ...nothing(), handed: 14 });

    expect(books.accounts()?.unaccounted).toBe(0);
  });

  test('begins anew with another nginx', () => {
    takenIn('intake', 7);
    books.report({ ...nothing(), handed: 10 });
    startSidecar();
    books.report({ ...nothing(), started: 2, handed: 50 });

    expect(books.accounts()?.unaccounted).toBe(0);
  });
});

test('tells the two ways into the spill folder apart', () => {
  books.report({ ...nothing(), handed: 3, diverted: 4, spilled: 6 });

  expect(metrics.of('nginx_spilled_total', { way: 'away' }).value()).toBe(4);
  expect(metrics.of('nginx_spilled_total', { way: 'failed' }).value()).toBe(2);
});

/** One whose counters begin at 0, with what the one before it left behind. */
function startSidecar(): void {
  metrics = createMetrics(new Registry(), SIDECAR_METRICS);
  const file = {
    load: () => remembered,
    store(books: Remembered) {
      remembered = books;
    },
  };
  books = createNginxBooks({ metrics, now: () => now, file, sequence: () => sequence });
}

/** Reports as nginx does while nothing happens. */
function rest(report: NginxReport): void {
  for (let second = 0; second < 5; second++) {
    now += 1_000;
    books.report(report);
  }
}

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
