import { describe, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { createBotTest } from '../../../event/bot-test.ts';
import type { BadLine } from '../../../event/from-line.ts';
import { createRedaction } from '../../../event/redaction.ts';
import { createMetrics } from '../../../service/metrics.ts';
import { SIDECAR_METRICS } from '../../../sidecar/metrics.ts';
import { createRecentIds } from '../../../sidecar/recent-ids.ts';
import { createTakeIn } from '../../../sidecar/take-in.ts';
import { line } from '../event/lines.ts';

describe('taking in lines', () => {
  test('keeps each event once, whichever way and however often its line comes', async () => {
    const { takeIn, kept, count } = create();
    await takeIn(lines(first, second), 'intake');
    await takeIn(lines(second, first), 'spill');
    expect(kept).toHaveLength(2);
    expect(count('intake_accepted_total', 'intake')).toBe(2);
    expect(count('intake_duplicates_total', 'spill')).toBe(2);
  });

  test('keeps the good lines beside a bad one, and the bad one aside', async () => {
    const { takeIn, kept, rejected } = create();
    expect(await takeIn(lines(first, 'nonsense', second), 'intake')).toEqual({ lines: 3, bad: 1 });
    expect(kept).toHaveLength(2);
    expect(rejected).toEqual([{ reason: 'version', field: 'version', value: 'nonsense' }]);
  });

  test('does not take a line for a duplicate whose write had failed', async () => {
    const { takeIn, kept, fail, count } = create();
    fail(true);
    await expect(takeIn(lines(first), 'intake')).rejects.toThrow('disk full');
    fail(false);
    await takeIn(lines(first), 'spill');
    expect(kept).toHaveLength(1);
    expect(count('intake_lines_total', 'intake')).toBe(0);
    expect(count('intake_accepted_total', 'spill')).toBe(1);
  });

  test('keeps nothing of a visitor that may not rest, and says of a bot that it is one', async () => {
    const { takeIn, kept } = create();
    await takeIn(lines(line({ ip: '203.0.113.7', ua: 'curl/8.5.0' })), 'intake');
    expect(JSON.parse(kept[0] ?? '')).toMatchObject({ ip: '203.0.113.0', bot: true });
    expect(kept[0]).not.toMatch(/203\.0\.113\.7|curl/);
  });

  test('reads bytes that are not UTF-8', async () => {
    const { takeIn, kept } = create();
    await takeIn(Buffer.from(`${line({ ref: 'caf\xc3\xa9 \xff' })}\n`, 'latin1'), 'intake');
    expect(JSON.parse(kept[0] ?? '').ref).toBe('café \uFFFD');
  });
});

const first = line({});
const second = line({ requestId: 'f'.repeat(32) });

function lines(...texts: string[]): Buffer {
  return Buffer.from(texts.map((text) => `${text}\n`).join(''), 'latin1');
}

function create() {
  const metrics = createMetrics(new Registry(), SIDECAR_METRICS);
  const kept: string[] = [];
  const rejected: BadLine[] = [];
  let failing = false;
  const takeIn = createTakeIn({
    node: 'web-1',
    recent: createRecentIds(),
    isBot: createBotTest(),
    redact: createRedaction({ ip: { mode: 'truncate' }, omit: ['ua'] }),
    keep: async (events) => {
      if (failing) throw new Error('disk full');
      kept.push(...events);
    },
    reject: (bad) => rejected.push(bad),
    metrics,
  });
  return {
    takeIn,
    kept,
    rejected,
    fail: (state: boolean) => {
      failing = state;
    },
    count: (name: 'intake_lines_total' | 'intake_accepted_total' | 'intake_duplicates_total', from: string) =>
      metrics.of(name, { from }).value(),
  };
}
