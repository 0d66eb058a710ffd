import { expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { createBotTest } from '../../../../event/bot-test.ts';
import { createEventWriter } from '../../../../event/event-writer.ts';
import { parse } from '../../../../event/parse.ts';
import { createVisitorHash } from '../../../../event/visitor.ts';
import { createMetrics } from '../../../../service/metrics.ts';
import { createAccounting } from '../../../../sidecar/accounting.ts';
import { createLoadShedding } from '../../../../sidecar/ingest/load-shedding.ts';
import { createRecentIds } from '../../../../sidecar/ingest/recent-ids.ts';
import { createTakeIn } from '../../../../sidecar/ingest/take-in.ts';
import { SIDECAR_METRICS } from '../../../../sidecar/metrics.ts';
import type { Spool } from '../../../../store/spool/spool.ts';
import { until } from '../../../parts/until.ts';
import { line } from '../../event/lines.ts';
import { open, take } from '../../store/spool/folder.ts';

const NODE = 'web-1';
const VIEWS_A_REQUEST = 100;

test('a spool that fills samples, then rejects; the weights represent everything ingested; it recovers', async () => {
  const spool = await open({ maxBytes: 300_000, segmentBytes: 10_000 });
  const { post, books, steps } = sidecarOf(spool);
  let views = 0;
  while (await post(VIEWS_A_REQUEST)) views += VIEWS_A_REQUEST;
  expect(steps).toEqual([1, 2, 3, 4, 5]);
  expect(spool.stats().refusal).toMatch(/the spool holds/);

  const { received, accepted, sampledOut, duplicate, bad, sheddingStep } = books();
  expect({ received, duplicate, bad, sheddingStep }).toEqual({
    received: views,
    duplicate: 0,
    bad: 0,
    sheddingStep: 5,
  });
  expect(accepted + sampledOut).toBe(received);
  expect(views).toBeGreaterThan(5 * accepted);

  const events = (await take(spool)).values.map(parse);
  expect(events).toHaveLength(accepted);
  const weights = events.map(({ weight = 1 }) => weight);
  // Each kept event of weight w stands for itself and for w − 1 of variance w(w − 1) together.
  const error = Math.sqrt(weights.reduce((sum, weight) => sum + weight * (weight - 1), 0));
  const estimate = weights.reduce((sum, weight) => sum + weight, 0);
  expect(Math.abs(estimate - views)).toBeLessThanOrEqual(4 * error);
  expect(events.filter(({ ip }) => ip === undefined).every(({ weight }) => weight === 64)).toBe(true);

  await until(() => spool.fill() < 0.3, { timeoutMs: 60_000, everyMs: 1, what: 'room' });
  expect(await post(VIEWS_A_REQUEST)).toBe(true);
  expect(books()).toMatchObject({ accepted: accepted + VIEWS_A_REQUEST, sheddingStep: 0 });
});

function sidecarOf(spool: Spool) {
  const metrics = createMetrics(new Registry(), SIDECAR_METRICS);
  const steps: number[] = [];
  const shedding = createLoadShedding({
    from: 0.5,
    fill: spool.fill,
    onChange: ({ step }) => steps.push(step),
  });
  metrics.of('shedding_step').follow(shedding.step);
  const takeIn = createTakeIn({
    recent: createRecentIds(),
    writer: createEventWriter({
      node: NODE,
      hashVisitor: createVisitorHash(),
      isBot: createBotTest(),
      ip: { mode: 'full' },
      omit: [],
    }),
    shedding,
    keep: (events) => spool.appendEncoded(events),
    reject: () => {},
    metrics,
  });
  let serial = 0;
  return {
    steps,
    books: createAccounting({ metrics, waiting: () => 0, delivered: () => 0, dead: () => 0, lost: () => 0 }),
    /** Returns whether they were taken in. */
    async post(views: number): Promise<boolean> {
      const lines = Array.from({ length: views }, () => `${line({ requestId: requestId(serial++) })}\n`);
      return takeIn(Buffer.from(lines.join('')), 'intake').then(
        () => true,
        () => false,
      );
    },
  };
}

/** Looks as random as nginx's, and is the same in each run. */
function requestId(i: number): string {
  const word = (by: number) => (Math.imul(i + 1, by) >>> 0).toString(16).padStart(8, '0');
  return word(0x9e3779b1) + word(0x85ebca6b) + word(0xc2b2ae35) + word(0x27d4eb2f);
}
