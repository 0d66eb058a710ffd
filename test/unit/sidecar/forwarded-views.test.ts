import { describe, expect, test } from '@jest/globals';
import { createForwardedViews } from '../../../sidecar/forwarded-views.ts';

describe('views that Kafka has and the index may lack', () => {
  test('are those that came later than the newest in the index, since they were forwarded', () => {
    const spool = setUp();
    for (let i = 0; i < 60; i++) spool.second({ live: 3 });
    expect(spool.views.after(20_000)).toEqual({ since: 31_000, seconds: 30 });
  });

  test('are none where the newest in the index is about as new', () => {
    const spool = setUp();
    for (let i = 0; i < 60; i++) spool.second({ live: 3 });
    expect(spool.views.after(52_000)).toBeUndefined();
  });

  test('are not what comes late from a file, and not test views', () => {
    const spool = setUp();
    for (let i = 0; i < 60; i++) spool.second({ other: 3 });
    expect(spool.views.after(0)).toBeUndefined();
  });

  test('are not what still waits, and count from the moment at which Kafka accepted them', () => {
    const spool = setUp();
    for (let i = 0; i < 30; i++) spool.second({ live: 1, waits: 1 });
    expect(spool.views.after(0)).toBeUndefined();
    spool.waiting = 0;
    spool.second({});
    expect(spool.views.after(0)).toEqual({ since: 31_000, seconds: 20 });
  });

  test('of a sink that has not run for a day are remembered in little memory, with their beginning', () => {
    const spool = setUp();
    for (let i = 0; i < 25_000; i++) spool.second({ live: 1 });
    const found = spool.views.after(0);
    expect(found?.seconds).toBeLessThan(10_000);
    expect(found?.since).toBeLessThan(60_000);
  });
});

function setUp() {
  let [at, live, accepted] = [0, 0, 0];
  const views = createForwardedViews({
    live: () => live,
    accepted: () => accepted,
    waiting: () => spool.waiting,
    now: () => at,
  });
  const spool = {
    views,
    waiting: 0,
    second(come: { live?: number; other?: number; waits?: number }) {
      at += 1_000;
      live += come.live ?? 0;
      accepted += (come.live ?? 0) + (come.other ?? 0);
      spool.waiting += come.waits ?? 0;
      views.look();
    },
  };
  return spool;
}
