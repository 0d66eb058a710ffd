import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { createKafkajsClient } from '../../store/kafka/kafkajs/kafkajs.ts';
import { createPlatformaticClient } from '../../store/kafka/platformatic/platformatic.ts';
import type { KafkaPart } from '../parts/kafka.ts';
import { sharedKafka } from '../parts/shared.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { batchOf, createKafkaLogs } from './kafka-logs.ts';

jest.setTimeout(300_000);
const EVENTS = 30;
/** Deliveries that fail. */
const FAILING = [1, 3, 4];

suiteWith(['kafka'])('a partition that is fetched ahead', () => {
  let kafka: KafkaPart;
  beforeAll(async () => {
    kafka = await sharedKafka();
  });
  afterAll(() => kafka?.close());

  test.each([
    ['kafkajs', createKafkajsClient],
    ['platformatic', createPlatformaticClient],
  ])('is delivered in order, one batch at a time, whatever fails in between: %s', async (name, create) => {
    const client = create({ brokers: kafka.brokers, clientId: 'test', onWarning: () => {} });
    const logs = createKafkaLogs(kafka, client, `${name}-order-${Date.now().toString(36)}`);
    const log = await logs.create('ahead', 1);
    const events = Array.from({ length: EVENTS }, (_, i) => String(i));
    const done: string[] = [];
    let deliveries = 0;
    let inHand = 0;
    let mostInHand = 0;
    await logs.consume(log, 'ahead', async ({ values }) => {
      deliveries++;
      inHand++;
      mostInHand = Math.max(mostInHand, inHand);
      const fails = FAILING.includes(deliveries);
      // While it is in hand more is written, and fetched.
      if (deliveries < 8) await log.append(batchOf([`during ${deliveries}`]));
      inHand--;
      if (fails) throw new Error('the index is on fire');
      done.push(...values.map(String));
    });
    for (const event of events) await log.append(batchOf([event]));
    const ours = () => done.filter((value) => !value.startsWith('during'));
    await until(() => ours().length >= EVENTS, { timeoutMs: 60_000, what: 'all events' });
    expect(ours()).toEqual(events);
    expect(mostInHand).toBe(1);
    await logs.close();
    await client.close();
  });
});
