import { describe, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { createMetrics } from '../../../service/metrics.ts';
import { createAccounting } from '../../../sidecar/accounting.ts';
import { SIDECAR_METRICS } from '../../../sidecar/metrics.ts';

describe('the accounting of a sidecar', () => {
  test('balances if each event waits, is delivered, is a dead letter, or is known to be lost', () => {
    const { books, spool, take } = open({ waiting: 5 });
    take({ lines: 10, accepted: 7, duplicates: 2 });
    spool.waiting = 4;
    spool.delivered = 5;
    spool.dead = 1;
    spool.lost = 2;
    expect(books()).toMatchObject({
      received: 10,
      accepted: 7,
      duplicate: 2,
      bad: 1,
      waitingAtStart: 5,
      waiting: 4,
      delivered: 5,
      dead: 1,
      lost: 2,
      unaccounted: 0,
    });
  });

  test('shows how many events are unaccounted for', () => {
    const { books, spool, take } = open({ waiting: 0 });
    take({ lines: 3, accepted: 3, duplicates: 0 });
    spool.delivered = 2;
    expect(books().unaccounted).toBe(1);
  });

  function open({ waiting }: { waiting: number }) {
    const metrics = createMetrics(new Registry(), SIDECAR_METRICS);
    const spool = { waiting, delivered: 0, dead: 0, lost: 0 };
    const books = createAccounting({
      metrics,
      waiting: () => spool.waiting,
      delivered: () => spool.delivered,
      dead: () => spool.dead,
      lost: () => spool.lost,
    });
    return { books, spool, take };

    function take({
      lines,
      accepted,
      duplicates,
    }: Record<'lines' | 'accepted' | 'duplicates', number>): void {
      metrics.of('intake_lines_total', { from: 'intake' }).add(lines);
      metrics.of('intake_accepted_total', { from: 'spill' }).add(accepted);
      metrics.of('intake_duplicates_total', { from: 'log' }).add(duplicates);
    }
  }
});
