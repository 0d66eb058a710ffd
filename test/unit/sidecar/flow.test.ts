import { describe, expect, test } from '@jest/globals';
import { createFlow } from '../../../sidecar/flow.ts';

describe('the flow of views', () => {
  test('says when a stage last moved, and how fast it has been in ten seconds', () => {
    const stage = setUp();
    stage.accepted = 50;
    stage.second();
    for (let i = 0; i < 10; i++) {
      stage.accepted += 5;
      stage.second();
    }
    expect(stage.flow.stages()).toEqual([{ name: 'spooled', total: 100, perSecond: 5, lastAt: 11_000 }]);
    for (let i = 0; i < 20; i++) stage.second();
    expect(stage.flow.stages()).toEqual([{ name: 'spooled', total: 100, perSecond: 0, lastAt: 11_000 }]);
  });

  test('says nothing about when, where nothing has come yet', () => {
    const stage = setUp();
    stage.second();
    expect(stage.flow.stages()).toEqual([{ name: 'spooled', total: 0, perSecond: 0 }]);
  });

  test('says how long the oldest event has waited, however many came since', () => {
    const stage = setUp();
    stage.accepted = 10;
    stage.second();
    expect(stage.flow.oldestMs()).toBeUndefined();
    // From here on nothing is delivered.
    for (let i = 0; i < 30; i++) {
      stage.accepted += 100;
      stage.waiting += 100;
      stage.second();
    }
    expect(stage.flow.oldestMs()).toBe(29_000);
    // Half of it is delivered.
    stage.waiting = 1_500;
    expect(stage.flow.oldestMs()).toBe(14_000);
    stage.waiting = 0;
    expect(stage.flow.oldestMs()).toBeUndefined();
  });

  test('counts what waited before the start as at least as old as the start', () => {
    const stage = setUp();
    stage.waiting = 1_000;
    for (let i = 0; i < 60; i++) {
      stage.accepted += 1;
      stage.waiting += 1;
      stage.second();
    }
    expect(stage.flow.oldestMs()).toBe(60_000);
  });

  test('remembers a backlog of hours in little memory, to a few seconds', () => {
    const stage = setUp();
    for (let i = 0; i < 25_000; i++) {
      stage.accepted += 1;
      stage.waiting += 1;
      stage.second();
    }
    const oldest = stage.flow.oldestMs() ?? 0;
    expect(Math.abs(oldest - 24_999_000)).toBeLessThanOrEqual(4_000);
  });
});

function setUp() {
  let now = 0;
  const counts = { accepted: 0, waiting: 0 };
  const flow = createFlow({
    stages: [{ name: 'spooled', total: () => counts.accepted }],
    accepted: () => counts.accepted,
    waiting: () => counts.waiting,
    now: () => now,
  });
  return Object.assign(counts, { flow, second });

  function second(): void {
    now += 1_000;
    flow.look();
  }
}
