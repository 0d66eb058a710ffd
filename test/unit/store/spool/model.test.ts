import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../parts/full.ts';
import { events, type Opened, open, segmentsIn, take, tempFolder } from './folder.ts';

const CONSUMERS = ['a', 'b'] as const;

type Action =
  | { do: 'append'; calls: number[] }
  | { do: 'read'; consumer: (typeof CONSUMERS)[number]; batches: number }
  | { do: 'reopen' };

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      calls: fc.array(fc.nat({ max: 30 }), { maxLength: 5 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('read' as const),
      consumer: fc.constantFrom(...CONSUMERS),
      batches: fc.integer({ min: 1, max: 6 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'reopen' as const }) },
);

/** What a spool should be: a row of events, and how far each consumer has come. */
type Model = { count: number; read: Record<(typeof CONSUMERS)[number], number> };

test('a spool behaves like a list of events with cursors, for any operations', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 25 }), async (actions) => {
      const dir = tempFolder();
      const reopen = () =>
        open({ dir, segmentBytes: 250, maxBatchEvents: 7, maxBatchBytes: 60, cursors: [...CONSUMERS] });
      const model: Model = { count: 0, read: { a: 0, b: 0 } };
      let spool = await reopen();
      for (const one of actions) {
        if (one.do === 'append') await append(spool, model, one.calls);
        if (one.do === 'read') await read(spool, model, one);
        if (one.do === 'reopen') {
          await spool.close();
          spool = await reopen();
        }
        expectAsModelled(spool, model);
      }
      for (const consumer of CONSUMERS)
        await read(spool, model, { consumer, batches: Number.POSITIVE_INFINITY });
      expect(model.read).toEqual({ a: model.count, b: model.count });
      await spool.close();
      expect(segmentsIn(dir)).toHaveLength(spool.stats().segments);
    }),
    { numRuns: runs(150) },
  );
}, 60_000);

/** Several calls at once, as from several connections. */
async function append(spool: Opened, model: Model, calls: number[]): Promise<void> {
  const appended = calls.map((count) => {
    const first = model.count;
    model.count += count;
    return spool
      .appendLines(events(count, first))
      .then((sequence) => count === 0 || expect(sequence).toBe(first));
  });
  await Promise.all(appended);
}

async function read(
  spool: Opened,
  model: Model,
  { consumer, batches }: { consumer: (typeof CONSUMERS)[number]; batches: number },
): Promise<void> {
  const taken = await take(spool, consumer, batches);
  expect(taken.values).toEqual(events(taken.values.length, model.read[consumer]));
  expect(taken.positions).toEqual(taken.values.map((_, i) => (model.read[consumer] ?? 0) + i));
  model.read[consumer] += taken.values.length;
}

function expectAsModelled(spool: Opened, { count, read: { a, b } }: Model): void {
  const { firstSequence, ...stats } = spool.stats();
  expect(stats).toMatchObject({
    nextSequence: count,
    cursors: { a: { sequence: a, behind: count - a }, b: { sequence: b, behind: count - b } },
  });
  expect(firstSequence).toBeLessThanOrEqual(Math.min(a, b));
  expect(spool.faults).toEqual([]);
}
