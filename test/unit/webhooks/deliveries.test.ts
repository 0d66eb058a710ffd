import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { createMetrics, type Metrics } from '../../../service/metrics.ts';
import { createDeliveries, type Deliveries, LONGEST_MS, MOST_WAITING } from '../../../webhooks/deliveries.ts';
import { WEBHOOK_METRICS } from '../../../webhooks/metrics.ts';
import { NotAccepted } from '../../../webhooks/post.ts';
import type { Message } from '../../../webhooks/webhook.ts';

const WAIT_MS = 10_000;

let metrics: Metrics<typeof WEBHOOK_METRICS>;
let deliveries: Deliveries;
let accepted: string[];
let attempts: number;
let warned: string[];
let answer: (message: Message) => Promise<void>;
beforeEach(() => {
  jest.useFakeTimers();
  [accepted, attempts, warned] = [[], 0, []];
  answer = async () => {};
  metrics = createMetrics(new Registry(), WEBHOOK_METRICS);
  deliveries = createDeliveries({
    name: 'test',
    async deliver(message) {
      attempts++;
      await answer(message);
      accepted.push(message.id);
    },
    metrics,
    warn: (key) => warned.push(key),
    now: Date.now,
    backoff: { wait, reset: () => {} },
  });
});
afterEach(async () => {
  await deliveries.close();
  jest.useRealTimers();
});

describe('messages for a webhook', () => {
  test('come in order, and again until they are accepted', async () => {
    let failures = 3;
    answer = async () => {
      if (failures-- > 0) throw new NotAccepted('answers 503');
    };
    add('a', 'b');
    await settle(1);
    expect(deliveries.state()).toMatchObject({ waiting: 2, failure: { reason: 'answers 503' } });
    await settle(60_000);
    add('c');
    await settle(1);
    expect([accepted, attempts]).toEqual([['a', 'b', 'c'], 6]);
    expect(deliveries.state()).toEqual({ name: 'test', waiting: 0, dropped: 0 });
    expect(metrics.of('webhook_failures_total', { webhook: 'test' }).value()).toBe(3);
    expect(warned).toEqual(Array.from({ length: 3 }, () => 'webhook test'));
  });

  test('are dropped after a quarter of an hour, and the next is tried', async () => {
    answer = async ({ id }) => {
      if (id === 'old') throw new NotAccepted('answers 503');
    };
    add('old');
    await settle(LONGEST_MS / 2);
    add('new');
    await settle(LONGEST_MS / 2 + 120_000);
    expect([accepted, dropped('late')]).toEqual([['new'], 1]);
  });

  test('that are rejected for good are not tried again', async () => {
    answer = async ({ id }) => {
      if (id === 'bad') throw new NotAccepted('answers 400', true);
    };
    add('bad', 'good');
    await settle(1);
    expect([accepted, attempts, dropped('rejected')]).toEqual([['good'], 2, 1]);
  });

  test('that are rejected do not make the webhook one that accepts nothing', async () => {
    answer = async ({ id }) => {
      if (id === 'bad') throw new NotAccepted('answers 422', true);
    };
    add('bad');
    await settle(1);
    expect(deliveries.state()).toEqual({
      name: 'test',
      waiting: 0,
      dropped: 1,
      rejected: { reason: 'answers 422', at: expect.any(Number) },
    });
    add('good');
    await settle(1);
    expect(deliveries.state()).toEqual({ name: 'test', waiting: 0, dropped: 1 });
  });

  test('are so many at most: of those that wait, the oldest are dropped, and counted', async () => {
    let isDown = true;
    answer = async () => {
      if (isDown) throw new NotAccepted('answers 503');
    };
    add(...Array.from({ length: MOST_WAITING + 5 }, (_, i) => String(i)));
    await settle(1);
    expect([deliveries.state().waiting, dropped('queue')]).toEqual([MOST_WAITING, 5]);
    isDown = false;
    await settle(60_000);
    expect(accepted.slice(0, 2)).toEqual(['0', '6']);
    expect(accepted.length).toBe(MOST_WAITING);
  });

  test('that wait at a stop are dropped, and counted', async () => {
    answer = () => Promise.reject(new NotAccepted('answers 503'));
    add('a', 'b');
    await settle(1);
    await deliveries.close();
    add('c');
    expect([dropped('stop'), deliveries.state()]).toEqual([
      3,
      expect.objectContaining({ waiting: 0, dropped: 3 }),
    ]);
  });
});

function add(...ids: string[]): void {
  for (const id of ids) deliveries.add({ id, body: '{}', at: Date.now() });
}

async function settle(ms: number): Promise<void> {
  await jest.advanceTimersByTimeAsync(ms);
}

/** Time is the test's. */
function wait(...signals: AbortSignal[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const [signal] = signals;
    const stop = () => reject(signal?.reason);
    signal?.addEventListener('abort', stop);
    setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, WAIT_MS);
  });
}

function dropped(reason: string): number {
  return metrics.of('webhook_dropped_total', { webhook: 'test', reason }).value();
}
