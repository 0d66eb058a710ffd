import { beforeEach, describe, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { createMetrics, type Metrics } from '../../../../service/metrics.ts';
import { SIDECAR_METRICS } from '../../../../sidecar/metrics.ts';
import { createNginxAccounting, type NginxAccounting } from '../../../../sidecar/nginx/nginx-accounting.ts';
import type { Remembered } from '../../../../sidecar/nginx/nginx-accounting-file.ts';
import type { NginxReport } from '../../../../sidecar/nginx/report.ts';

let metrics: Metrics<typeof SIDECAR_METRICS>;
let accounting: NginxAccounting;
let now: number;
let sequence: number;
let remembered: Remembered | undefined;

/** Older than the accounting, and not the one of before. */
const OLDER = { started: 2, instance: 12 };

beforeEach(() => {
  now = 1_000_000;
  sequence = 0;
  remembered = undefined;
  startSidecar();
  accounting.report(nothing());
  accounting.report(nothing());
});

test('nginx reports that it cannot write to the spill folder, until it can or stops reporting', () => {
  expect(accounting.isSpillBarred()).toBe(false);
  accounting.report({ ...nothing(), spill_barred: 1 });
  expect(accounting.isSpillBarred()).toBe(true);
  accounting.report(nothing());
  expect(accounting.isSpillBarred()).toBe(false);
  accounting.report({ ...nothing(), spill_barred: 1 });
  now += 6_000;
  expect(accounting.isSpillBarred()).toBe(false);
});

test('one of two nginx that cannot write to the spill folder is reported, whichever reports last', () => {
  const other = { ...nothing(), instance: 2 };
  accounting.report({ ...nothing(), instance: 1, spill_barred: 1 });
  accounting.report(other);
  expect(accounting.isSpillBarred()).toBe(true);
  now += 6_000;
  accounting.report(other);
  expect(accounting.isSpillBarred()).toBe(false);
});

test('an nginx that stopped reporting is not up, also if the clock was set back', async () => {
  const isUp = () => metrics.of('nginx_up').value();
  accounting.report({ ...nothing(), spill_barred: 1 });
  expect([isUp(), accounting.isSpillBarred()]).toEqual([1, true]);
  now -= 7_200_000;
  expect([isUp(), accounting.isSpillBarred()]).toEqual([0, false]);
  accounting.report(nothing());
  expect(isUp()).toBe(1);
});

test('the last report of a worker that a reload replaces has only counters, and keeps what is known of nginx', () => {
  const running = { one_in: 1, off: true, release: '1.0.0' };
  accounting.report({ ...nothing(), ...running });
  accounting.report({ ...nothing(), flushed: 5, one_in: undefined, off: false, release: undefined });
  const instances = accounting.accounts()?.instances;
  expect(instances).toMatchObject([{ oneIn: 1, off: true, release: '1.0.0' }]);
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
    accounting.report({ ...nothing(), ...report });

    expect(accounting.accounts()).toMatchObject({ captured: 10, unaccounted: 0 });
  });

  test('counts views that are unaccounted for', () => {
    takenIn('intake', 7);
    accounting.report({ ...nothing(), handed: 10 });

    expect(accounting.accounts()?.unaccounted).toBe(3);
    expect(metrics.of('nginx_unaccounted').value()).toBe(3);
  });

  test('counts views that nginx reported as spilled, and that a full disk lost', () => {
    spillWaits(1_400);
    accounting.report({ ...nothing(), diverted: 10, spilled: 10 });
    expect(accounting.accounts()?.unaccounted).toBe(0);

    spillWaits(0);
    takenIn('spill', 7);
    accounting.report({ ...nothing(), diverted: 10, spilled: 10 });
    expect(accounting.accounts()?.unaccounted).toBe(3);
  });

  test('omits views that nginx spilled before this sidecar started', () => {
    accounting.report({ ...nothing(), ...OLDER, diverted: 100, spilled: 100 });
    spillWaits(2_000);
    accounting.report({ ...nothing(), ...OLDER, diverted: 110, spilled: 110 });

    expect(accounting.accounts()?.unaccounted).toBe(0);
  });

  test('starts with the first two reports, and again with that of another nginx', () => {
    accounting.report({ ...nothing(), ...OLDER, handed: 100 });
    accounting.report({ ...nothing(), ...OLDER, handed: 100 });
    expect(accounting.accounts()?.unaccounted).toBe(0);

    takenIn('intake', 5);
    accounting.report({ ...nothing(), ...OLDER, handed: 106 });
    expect(accounting.accounts()?.unaccounted).toBe(1);
  });

  test('is 0 at rest when views were on their way at the first report', () => {
    accounting.report({ ...nothing(), ...OLDER, handed: 103 });
    takenIn('intake', 3);
    rest({ ...nothing(), ...OLDER, handed: 103 });
    expect(accounting.accounts()?.unaccounted).toBe(0);

    accounting.report({ ...nothing(), ...OLDER, handed: 104 });
    expect(accounting.accounts()?.unaccounted).toBe(1);
  });

  test('is 0 after views that arrived before the first report of an nginx', () => {
    takenIn('intake', 5);
    accounting.report({ ...nothing(), started: 2 });
    accounting.report({ ...nothing(), ...OLDER, handed: 5 });
    rest({ ...nothing(), ...OLDER, handed: 5 });
    expect(accounting.accounts()?.unaccounted).toBe(0);

    accounting.report({ ...nothing(), ...OLDER, handed: 6 });
    expect(accounting.accounts()?.unaccounted).toBe(1);
  });

  test('is 0 after views that arrived before the report that counts them', () => {
    takenIn('intake', 5);
    accounting.report(nothing());
    accounting.report({ ...nothing(), handed: 5 });

    expect(accounting.accounts()?.unaccounted).toBe(0);
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
  ])('is 0 after views that were ingested and waited %s, for any time', (_, waits, happens, then) => {
    happens();
    rest({ ...nothing(), ...waits });
    if (then.spilled !== undefined) takenIn('spill', 10, 10);
    spillWaits(0);
    rest({ ...nothing(), ...then });

    expect(accounting.accounts()?.unaccounted).toBe(0);
  });

  test('omits what an earlier sidecar ingested, also if more waits at the first report', () => {
    spillWaits(2_000);
    accounting.report({ ...nothing(), ...OLDER, diverted: 110, spilled: 110 });
    spillWaits(0);
    takenIn('spill', 10);
    accounting.report({ ...nothing(), ...OLDER, diverted: 110, spilled: 110 });

    expect(accounting.accounts()?.unaccounted).toBe(0);
  });

  test('omits the files of the transport log, which nginx does not count', () => {
    takenIn('log', 50);
    accounting.report(nothing());

    expect(accounting.accounts()?.unaccounted).toBe(0);
  });
});

describe('a restarted sidecar', () => {
  test('continues with the missing views of its predecessor', () => {
    takenIn('intake', 7);
    accounting.report({ ...nothing(), handed: 10 });
    startSidecar();
    takenIn('intake', 5);
    accounting.report({ ...nothing(), handed: 15 });

    expect(accounting.accounts()?.unaccounted).toBe(3);
  });

  test('reports views as missing that nginx spilled meanwhile and that a full disk lost', () => {
    startSidecar();
    spillWaits(1_400);
    accounting.report({ ...nothing(), diverted: 10, spilled: 10 });
    takenIn('spill', 7);
    spillWaits(0);
    accounting.report({ ...nothing(), diverted: 10, spilled: 10 });

    expect(accounting.accounts()?.unaccounted).toBe(3);
  });

  test('reports nothing as missing that was ingested after the last report and is in the spool', () => {
    sequence = 100;
    takenIn('intake', 10);
    accounting.report({ ...nothing(), handed: 10 });
    sequence = 104;
    startSidecar();
    accounting.report({ ...nothing(), handed: 14 });

    expect(accounting.accounts()?.unaccounted).toBe(0);
  });

  test('continues with the missing views of an nginx that has been replaced since', () => {
    takenIn('intake', 7);
    accounting.report({ ...nothing(), handed: 10 });
    startSidecar();
    accounting.report({ ...nothing(), ...OLDER, handed: 50 });

    expect(accounting.accounts()?.unaccounted).toBe(3);
  });

  test('accounts for every view of an nginx that started while there was no sidecar', () => {
    startSidecar();
    takenIn('spill', 5);
    takenIn('intake', 2);
    accounting.report({ ...nothing(), started: now, handed: 10, spilled: 5 });

    expect(accounting.accounts()?.unaccounted).toBe(3);
  });
});

describe('two nginx on one sidecar (a binary upgrade)', () => {
  const old = (counted: Partial<NginxReport>) => accounting.report({ ...nothing(), ...counted });
  const young = (counted: Partial<NginxReport>) =>
    accounting.report({ ...nothing(), started: 1_000_000, instance: 22, ...counted });

  test('do not hide a loss of either', () => {
    takenIn('intake', 24);
    old({ handed: 10 });
    young({ handed: 20 });
    old({ handed: 10 });
    young({ handed: 20 });

    expect(accounting.accounts()?.unaccounted).toBe(6);
  });

  test('do not make the counters jump', () => {
    old({ waiting: 1, flushed: 10, diverted: 4, spilled: 5, dropped: 3, fulls: 1 });
    young({ waiting: 2, flushed: 20, diverted: 2, spilled: 2, dropped: 1, fulls: 1 });
    const both = counters();
    old({ waiting: 1, flushed: 10, diverted: 4, spilled: 5, dropped: 3, fulls: 1 });

    expect(counters()).toEqual(both);
    expect(both).toEqual({ captured: 39, buffered: 3, away: 6, failed: 1, dropped: 4, fulls: 2 });
  });

  test('are distinguished if they started within the same millisecond', () => {
    takenIn('intake', 13);
    accounting.report({ ...nothing(), handed: 10 });
    accounting.report({ ...nothing(), instance: 22, handed: 3 });
    accounting.report({ ...nothing(), instance: 22, handed: 3 });
    old({ handed: 11 });

    expect(accounting.accounts()).toMatchObject({
      captured: 14,
      instances: [{ captured: 3 }, { captured: 11 }],
    });
  });

  test('are one instance if a reload added or removed the includes that name it', () => {
    accounting.report({ ...nothing(), instance: 0, handed: 3 });
    accounting.report({ ...nothing(), instance: 11, handed: 4 });
    accounting.report({ ...nothing(), instance: 0, handed: 5 });

    expect(accounting.accounts()).toMatchObject({ captured: 5, instances: [{ captured: 5 }] });
  });

  test('keep a loss of the one that exits', () => {
    takenIn('intake', 7);
    old({ handed: 10 });
    young({});
    now += 3_600_000;
    takenIn('intake', 5);
    young({ handed: 5 });

    expect(accounting.accounts()).toMatchObject({
      captured: 15,
      unaccounted: 3,
      instances: [{ captured: 5 }],
    });
  });

  test('show what the exited one still held in its zone, and nothing of it if it arrived after all', () => {
    old({ waiting: 10 });
    young({});
    expect(accounting.accounts()).toMatchObject({ buffered: 10, unaccounted: 0 });
    now += 3_600_000;
    young({});
    expect(accounting.accounts()).toMatchObject({ captured: 10, buffered: 0, unaccounted: 10 });

    takenIn('intake', 10);
    young({});
    expect(accounting.accounts()?.unaccounted).toBe(0);
  });

  test('are not idle before both report so', () => {
    takenIn('intake', 1);
    young({});
    now += 1_500;
    young({});
    expect(accounting.accounts()?.unaccounted).toBe(-1);

    old({ handed: 1 });
    expect(accounting.accounts()?.unaccounted).toBe(0);
  });

  test('are both known to the next sidecar', () => {
    takenIn('intake', 24);
    old({ handed: 10 });
    young({ handed: 20 });
    startSidecar();
    takenIn('intake', 2);
    young({ handed: 21 });
    old({ handed: 11 });

    expect(accounting.accounts()).toMatchObject({ captured: 32, unaccounted: 6 });
  });

  test('may be followed by any number of others, whose totals are kept', () => {
    for (let i = 1; i <= 100; i++) {
      now += 1_000;
      takenIn('intake', 9);
      accounting.report({ ...nothing(), started: now, instance: i, handed: 10 });
    }

    expect(accounting.accounts()).toMatchObject({ captured: 1_000, unaccounted: 100 });
    expect(remembered?.instances.length).toBeLessThan(50);
  });

  function counters(): Record<string, number> {
    return {
      captured: metrics.of('nginx_captured_total').value(),
      buffered: metrics.of('nginx_buffered').value(),
      away: metrics.of('nginx_spilled_total', { way: 'away' }).value(),
      failed: metrics.of('nginx_spilled_total', { way: 'failed' }).value(),
      dropped: metrics.of('nginx_dropped_total').value(),
      fulls: metrics.of('nginx_spill_full_total').value(),
    };
  }
});

test('distinguishes the two paths into the spill folder', () => {
  accounting.report({ ...nothing(), handed: 3, diverted: 4, spilled: 6 });

  expect(metrics.of('nginx_spilled_total', { way: 'away' }).value()).toBe(4);
  expect(metrics.of('nginx_spilled_total', { way: 'failed' }).value()).toBe(2);
});

/** One whose counters begin at 0, with what the one before it left behind. */
function startSidecar(): void {
  metrics = createMetrics(new Registry(), SIDECAR_METRICS);
  const file = {
    load: () => remembered,
    store(accounting: Remembered) {
      remembered = accounting;
    },
  };
  accounting = createNginxAccounting({ metrics, now: () => now, file, sequence: () => sequence });
}

/** Reports as nginx does while nothing happens. */
function rest(report: NginxReport): void {
  for (let second = 0; second < 12; second++) {
    now += 1_000;
    accounting.report(report);
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
    instance: 11,
    version: 0,
    waiting: 0,
    flushed: 0,
    handed: 0,
    diverted: 0,
    spilled: 0,
    dropped: 0,
    fulls: 0,
    spill_barred: 0,
    off: false,
  };
}
