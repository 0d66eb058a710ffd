import { describe, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import type { HotDecision } from '../../../event/decision-fields.ts';
import { DECISION_METRICS } from '../../../heat/metrics.ts';
import { createOutbox } from '../../../heat/outbox.ts';
import { createMetrics } from '../../../service/metrics.ts';
import { DECISION } from '../../parts/hot-decision.ts';

describe('the outbox of decisions', () => {
  test('releases a decision only after it is stored with its state', async () => {
    const { outbox, spool } = create();
    outbox.add(decision('a'));
    outbox.tick(10_000);
    await outbox.settled();
    expect(spool).toEqual([]);

    await outbox.stored(outbox.pending());
    expect(itemsOf(spool)).toEqual(['a']);
    expect(outbox.pending()).toEqual([]);
  });

  test('releases only what the written file contains', async () => {
    const { outbox, spool } = create();
    outbox.add(decision('a'));
    const written = outbox.pending();
    outbox.add(decision('b'));
    await outbox.stored(written);
    expect(itemsOf(spool)).toEqual(['a']);
    expect(itemsOf(outbox.pending())).toEqual(['b']);
  });

  test('decisions that were pending at a kill are sent after the restart, unchanged and before new ones', async () => {
    const before = create();
    before.outbox.add(decision('a'));
    const { outbox, spool } = create({ pending: before.outbox.pending() });
    outbox.add(decision('b'));
    await outbox.stored(outbox.pending());
    expect(spool).toEqual([JSON.stringify(decision('a')), JSON.stringify(decision('b'))]);
  });

  test('keeps decisions that the spool rejects, and retries in order', async () => {
    let isFull = true;
    const { outbox, spool, metrics } = create({ refuses: () => isFull });
    outbox.add(decision('a'));
    await outbox.stored(outbox.pending());
    outbox.add(decision('b'));
    expect(itemsOf(outbox.pending())).toEqual(['a', 'b']);

    isFull = false;
    await outbox.stored(outbox.pending());
    expect(itemsOf(spool)).toEqual(['a', 'b']);
    expect(metrics.of('decisions_told_total').value()).toBe(2);
  });

  test('drops, when full, an older decision of the same item first, then the oldest, each counted', () => {
    const { outbox, metrics } = create({ mostPending: 3, refuses: () => true });
    for (const item of ['a', 'b', 'a', 'c', 'd']) outbox.add(decision(item));
    expect(itemsOf(outbox.pending())).toEqual(['a', 'c', 'd']);
    expect(metrics.of('decisions_dropped_total', { reason: 'superseded' }).value()).toBe(1);
    expect(metrics.of('decisions_dropped_total', { reason: 'full' }).value()).toBe(1);
    expect(metrics.of('decisions_decided_total').value()).toBe(5);
  });

  test('items that the cap holds back push no other decision out: they are dropped from half on, counted', () => {
    const { outbox, metrics } = create({ mostPending: 4, refuses: () => true });
    outbox.add(decision('a'));
    for (const item of ['b', 'c', 'd']) outbox.add({ ...decision(item), change: 'held' });
    for (const item of ['e', 'f']) outbox.add(decision(item));
    expect(itemsOf(outbox.pending())).toEqual(['a', 'b', 'e', 'f']);
    expect(metrics.of('decisions_dropped_total', { reason: 'full' }).value()).toBe(2);
    expect(metrics.of('decisions_decided_total').value()).toBe(6);
  });

  test('drops no decision that is being written', async () => {
    const { outbox, spool, metrics } = create({ mostPending: 1 });
    outbox.add(decision('a'));
    const writing = outbox.stored(outbox.pending());
    outbox.add(decision('b'));
    outbox.add(decision('c'));
    await writing;
    await outbox.stored(outbox.pending());
    expect(itemsOf(spool)).toEqual(['a', 'c']);
    expect(metrics.of('decisions_told_total').value()).toBe(2);
    expect(metrics.sum('decisions_dropped_total')).toBe(1);
  });

  test('is settled when nothing is being written, including what was stored meanwhile', async () => {
    const { outbox, spool } = create();
    outbox.add(decision('a'));
    void outbox.stored(outbox.pending());
    outbox.add(decision('b'));
    void outbox.stored(outbox.pending());
    await outbox.settled();
    expect(itemsOf(spool)).toEqual(['a', 'b']);
  });

  test('damaged entries in the file are counted, and stop nothing', async () => {
    const { outbox, spool, metrics } = create({ pending: ['{"v":1}', JSON.stringify(decision('a'))] });
    outbox.tick(10_000);
    await outbox.settled();
    expect(itemsOf(spool)).toEqual(['a']);
    expect(metrics.of('decisions_dropped_total', { reason: 'damaged' }).value()).toBe(1);
  });
});

type Options = { pending?: string[]; mostPending?: number; refuses?: () => boolean };

function create({ pending = [], mostPending, refuses = () => false }: Options = {}) {
  const spool: string[] = [];
  const metrics = createMetrics(new Registry(), DECISION_METRICS);
  const outbox = createOutbox({
    pending,
    async append(texts) {
      await undefined;
      if (refuses()) throw new Error('the spool is full');
      spool.push(...texts);
    },
    onChange: () => {},
    metrics,
    warn: () => {},
    ...(mostPending !== undefined && { mostPending }),
  });
  return { outbox, spool, metrics };
}

function itemsOf(texts: string[]): string[] {
  return texts.map((text) => (JSON.parse(text) as HotDecision).item);
}

function decision(item: string): HotDecision {
  return { ...DECISION, id: `id-${item}`, item };
}
