import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { watchGroups } from '../../../app/watch-groups.ts';
import { loadConfig } from '../../../service/config/config.ts';
import type { OffsetRange, TopicReader } from '../../../store/kafka/topic-reader.ts';

const EVERY_MS = 15_000;

let now: number;
let connected: number;
let closed: number;
let asked: number;
let steps: (() => Promise<void>)[];
/** What the brokers answer: records behind; undefined if they never do. */
let answer: () => Promise<number>;

beforeEach(() => {
  jest.useFakeTimers();
  now = 1_000_000;
  connected = 0;
  closed = 0;
  asked = 0;
  steps = [];
  answer = async () => 7;
});
afterEach(async () => {
  for (const stop of steps) await stop();
  jest.useRealTimers();
});

test('says what the brokers say, asked again and again over one connection', async () => {
  const behind = watch();
  await pass(0);
  expect(behind()).toBe(7);
  answer = async () => 3;
  await pass(EVERY_MS);

  expect(behind()).toBe(3);
  expect(connected).toBe(1);
});

test('does not know while Kafka fails, and connects again', async () => {
  const behind = watch();
  await pass(0);
  answer = () => Promise.reject(new Error('unreachable'));
  await pass(EVERY_MS);
  expect(behind()).toBeNaN();
  expect(closed).toBe(1);
  answer = async () => 5;
  await pass(EVERY_MS);

  expect(behind()).toBe(5);
  expect(connected).toBe(2);
});

test('forgets an answer after a minute without another, and asks one question at a time', async () => {
  const behind = watch();
  await pass(0);
  answer = () => new Promise(() => {});
  await pass(EVERY_MS);
  expect(behind()).toBe(7);
  for (let i = 0; i < 10; i++) await pass(EVERY_MS);

  expect(behind()).toBeNaN();
  expect(asked).toBe(2);
});

function watch(): () => number {
  const shutdown = {
    add: (_: string, stop: () => Promise<void>) => {
      steps.push(stop);
    },
    run: async () => true,
  };
  const core = { config: loadConfig({ env: {}, flags: {} }), now: () => now, shutdown, warn: () => {} };
  const lag = watchGroups(core, async () => reader()).behind('topic', 'group');
  return () => lag()?.records ?? Number.NaN;
}

function reader(): TopicReader {
  connected++;
  const none = () => Promise.reject(new Error('nobody asks'));
  return {
    committed: async () => new Map<number, bigint>(),
    async bounds(): Promise<OffsetRange[]> {
      asked++;
      return [{ partition: 0, from: 0n, to: BigInt(await answer()) }];
    },
    offsetsAt: none,
    members: none,
    read: none,
    deleteBefore: none,
    async close() {
      closed++;
    },
  };
}

async function pass(ms: number): Promise<void> {
  now += ms;
  await jest.advanceTimersByTimeAsync(ms);
}
