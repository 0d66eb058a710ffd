import { expect, test } from '@jest/globals';
import { closeSpans } from '../../../app/close-spans.ts';
import type { Range } from '../../../store/event-questions.ts';

const SPAN = { from: 0, to: 1 };

/** What `closeSpans` does when `closeSpan` has these outcomes one after the other: how long it waits before each, and what fails. */
async function run(outcomes: (() => Promise<Range | undefined>)[]) {
  const waits: number[] = [];
  const failures: unknown[] = [];
  const stop = new AbortController();
  const left = [...outcomes];
  const closeSpan = () => left.shift()?.() ?? Promise.resolve(undefined);
  await closeSpans(
    { closeSpan },
    stop.signal,
    (error) => failures.push(error),
    async (ms) => {
      waits.push(ms);
      return left.length > 0;
    },
  );
  return { waits, failures };
}

test('spans are closed one after the other with a rest in between, and once a minute when none is left', async () => {
  const { waits } = await run([async () => SPAN, async () => SPAN, async () => undefined]);

  expect(waits[0]).toBe(60_000);
  expect(waits.slice(1, 3).every((ms) => ms >= 1_000)).toBe(true);
  expect(waits[3]).toBe(60_000);
});

test('a failure is told, and the next attempt is a minute later at least', async () => {
  const full = new Error('the disk is full');
  const { waits, failures } = await run([() => Promise.reject(full), async () => undefined]);

  expect(failures).toEqual([full]);
  expect(waits).toEqual([60_000, 60_000, 60_000]);
});

test('nothing is waited for when the service stops', async () => {
  const stop = new AbortController();
  const ended = closeSpans({ closeSpan: async () => undefined }, stop.signal, () => {});
  stop.abort();

  await expect(ended).resolves.toBeUndefined();
});
