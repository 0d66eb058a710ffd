import { beforeEach, expect, test } from '@jest/globals';
import { AT_ONCE, type Budget, createBudget } from '../../../protect/budget.ts';
import type { Page } from '../../../protect/page.ts';

const PER_SECOND = 50;
const TICK_MS = 10;

let time: number;
let budget: Budget;
let begun: number;
let running: { answer: (bytes: number) => void; since: number }[];
let most: number;

beforeEach(() => {
  [time, begun, most] = [1_795_355_710_000, 0, 0];
  running = [];
  budget = createBudget({ requestsPerSecond: PER_SECOND, now: () => time });
});

test('as many requests begin as a second may have, however many wait', async () => {
  want(10_000);
  await pass(10_000, { takesMs: 0 });
  // A second's worth is there at the start.
  expect(begun).toBeGreaterThanOrEqual(10 * PER_SECOND);
  expect(begun).toBeLessThanOrEqual(11 * PER_SECOND + AT_ONCE);
  expect(most).toBeLessThanOrEqual(AT_ONCE);
});

test('large pages are asked for less often', async () => {
  want(1_000);
  await pass(10_000, { takesMs: 0, bytes: 5_000_000 });
  expect(begun).toBeGreaterThanOrEqual(40);
  expect(begun).toBeLessThanOrEqual(44 + AT_ONCE);
});

test('an origin that takes a second a page is asked for two at a time on average', async () => {
  want(1_000);
  await pass(20_000, { takesMs: 1_000 });
  expect(begun).toBeGreaterThanOrEqual(36);
  expect(begun).toBeLessThanOrEqual(42 + AT_ONCE);
});

test('a clock that is set back stops nothing, and one that is set forward gives a second’s worth', async () => {
  want(1_000);
  await pass(2_000, { takesMs: 0 });
  time -= 3_600_000;
  let before = begun;
  await pass(2_000, { takesMs: 0 });
  expect(begun - before).toBeGreaterThan(1.5 * PER_SECOND);
  time += 3_600_000;
  before = begun;
  await pass(1_000, { takesMs: 0 });
  expect(begun - before).toBeLessThanOrEqual(2 * PER_SECOND + AT_ONCE);
});

test('what waits when it closes is refused', async () => {
  const requests = Array.from({ length: AT_ONCE + 1 }, () => budget.spend(request));
  budget.close();
  await expect(requests[AT_ONCE]).rejects.toThrow('the sidecar stops');
  for (const one of running) one.answer(1);
  expect(await Promise.all(requests.slice(0, AT_ONCE))).toHaveLength(AT_ONCE);
});

test('what comes after it is closed is refused', async () => {
  budget.close();
  await expect(budget.spend(request)).rejects.toThrow('the sidecar stops');
  expect(begun).toBe(0);
});

test('a request that fails gives its place to the next', async () => {
  for (let i = 0; i < 10; i++) await budget.spend(() => Promise.reject(new Error('refused'))).catch(() => {});
  expect(budget.hasRoom()).toBe(true);
});

function want(count: number): void {
  for (let i = 0; i < count; i++) void budget.spend(request).catch(() => {});
}

function request(): Promise<Page> {
  begun++;
  return new Promise((resolve) => {
    const answer = (bytes: number) =>
      resolve({ status: 200, headers: new Map(), body: Buffer.alloc(0), bytes, isWhole: true, waitedMs: 1 });
    running.push({ answer, since: time });
    most = Math.max(most, running.length);
  });
}

async function pass(
  ms: number,
  { takesMs, bytes = 1_000 }: { takesMs: number; bytes?: number },
): Promise<void> {
  for (let passed = 0; passed < ms; passed += TICK_MS) {
    time += TICK_MS;
    const done = running.filter(({ since }) => time - since >= takesMs);
    running = running.filter((one) => !done.includes(one));
    for (const { answer } of done) answer(bytes);
    for (let i = 0; i < 10; i++) await Promise.resolve();
    budget.tick();
  }
}
