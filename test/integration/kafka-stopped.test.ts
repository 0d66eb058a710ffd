import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { createKafkajsClient } from '../../store/kafka/kafkajs/kafkajs.ts';
import { createPlatformaticClient } from '../../store/kafka/platformatic/platformatic.ts';
import { type KafkaPart, startKafka } from '../parts/kafka.ts';
import { withAdmin } from '../parts/kafka-admin.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { batchOf, createKafkaLogs } from './kafka-logs.ts';

jest.setTimeout(180_000);
const CLIENTS = { kafkajs: createKafkajsClient, platformatic: createPlatformaticClient };
const PATIENCE_MS = 60_000;
/** An orderly stop and a start take ten seconds; the test of the clients has one of each. */
const ENDS = process.env.HOTITEM_TEST_FULL === '1' ? (['stop', 'kill'] as const) : (['kill'] as const);

suiteWith(['kafka'], { stops: true })('a Kafka that goes away and comes back', () => {
  let kafka: KafkaPart;
  beforeAll(async () => {
    kafka = await startKafka();
  });
  afterAll(() => kafka?.close());

  test.each(ENDS)('keeps its topics over a %s', async (end) => {
    const topic = `kept-over-${end}`;
    await withAdmin(kafka, (admin) => admin.createTopics({ topics: [{ topic, numPartitions: 1 }] }));

    await kafka[end]();
    await kafka.start();

    expect(await withAdmin(kafka, (admin) => admin.listTopics())).toContain(topic);
  });

  test('costs neither client an event, and neither needs a restart', async () => {
    const parties = await Promise.all(Object.entries(CLIENTS).map(join));
    await kafka.stop();
    await Promise.all(
      parties.map(({ log }) =>
        expect(log.append(batchOf(['during']))).rejects.toThrow('cannot write to topic'),
      ),
    );
    await kafka.start();
    for (const { name, log, seen } of parties) {
      const taken = () =>
        log.append(batchOf(['after'])).then(
          () => true,
          () => false,
        );
      await until(taken, { timeoutMs: PATIENCE_MS, what: `Kafka to take an event by ${name}` });
      await until(() => seen.includes('after'), { timeoutMs: PATIENCE_MS, what: `the event by ${name}` });
    }
    for (const { close } of parties) await close();
  });

  /** A client that writes and reads a topic of its own. */
  async function join([name, create]: [string, (typeof CLIENTS)[keyof typeof CLIENTS]]) {
    const client = create({ brokers: kafka.brokers, clientId: 'test', onWarning: () => {} });
    const logs = createKafkaLogs(client, name);
    const log = await logs.create('outage', 2);
    const seen: string[] = [];
    await logs.consume(log, 'outage', async (batch) => void seen.push(...batch.values.map(String)));
    await log.append(batchOf(['before']));
    await until(() => seen.includes('before'), {
      timeoutMs: PATIENCE_MS,
      what: `the event before, by ${name}`,
    });
    return { name, log, seen, close };

    async function close(): Promise<void> {
      await logs.close();
      await client.close();
    }
  }
});
