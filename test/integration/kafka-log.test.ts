import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { abortable } from '../../service/abortable.ts';
import { createDeadLetterTopic } from '../../store/dead-letters/dead-letters.ts';
import { type KafkaClient, ROW } from '../../store/kafka/client.ts';
import { createKafkajsClient } from '../../store/kafka/kafkajs/kafkajs.ts';
import { createPlatformaticClient } from '../../store/kafka/platformatic/platformatic.ts';
import { createKafkaLog } from '../../store/kafka/topic-log.ts';
import type { KafkaPart } from '../parts/kafka.ts';
import { withAdmin } from '../parts/kafka-admin.ts';
import { sharedKafka } from '../parts/shared.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { batchOf, createKafkaLogs, type KafkaLogs } from './kafka-logs.ts';

jest.setTimeout(300_000);
const RUN = Date.now().toString(36);

suiteWith(['kafka'])('a Kafka topic as a log', () => {
  let kafka: KafkaPart;
  let client: KafkaClient;
  let logs: KafkaLogs;

  beforeAll(async () => {
    kafka = await sharedKafka();
    client = createKafkajsClient({ brokers: kafka.brokers, clientId: 'test', onWarning: () => {} });
    logs = createKafkaLogs(kafka, client, RUN);
  });
  afterAll(async () => {
    await logs?.close();
    await client?.close();
    await kafka?.close();
  });

  test('commits nothing past a batch that failed while its partition was with another consumer (platformatic)', async () => {
    const platformatic = createPlatformaticClient({
      brokers: kafka.brokers,
      clientId: 'test',
      onWarning: () => {},
    });
    const others = createKafkaLogs(kafka, platformatic, RUN);
    const log = await others.create('regained', 2);
    const held = new Map<string, (error?: Error) => void>();
    const done = new Map<string, string[]>();
    const rows = batchOf(Array.from({ length: 2 * ROW }, String));
    // Before the consumer comes: one that fetches a partition alone reads no other while that batch is in hand.
    await log.append(rows);
    await others.consume(log, 'regained', async ({ source, values, position }, { signal }) => {
      if (!held.has(source)) {
        const end = new Promise<void>((resolve, reject) => {
          held.set(source, (error) => (error ? reject(error) : resolve()));
        });
        await abortable(signal, end);
      }
      done.set(source, [...(done.get(source) ?? []), ...values.map((_, i) => position(i))]);
    });
    await until(() => held.size === 2, { timeoutMs: 60_000, what: 'a batch in hand of each partition' });
    await log.append(rows);
    let lost = '';
    const other = await others.consume(log, 'regained', ({ source }, { signal }) => {
      lost = source;
      return abortable(signal, new Promise(() => {}));
    });
    await until(() => lost !== '', { timeoutMs: 60_000, what: 'the other to get a partition' });
    held.get(lost)?.(new Error('the index is on fire'));
    await other.close(0);
    // Empty: on a machine that stood still, the first lost its membership. It joins again when what it has in hand is released.
    const isAlone = () =>
      withAdmin(kafka, async (admin) => {
        const { groups } = await admin.describeGroups([`regained-${RUN}`]);
        return groups.every(
          ({ state, members }) => state === 'Empty' || (state === 'Stable' && members.length === 1),
        );
      });
    await until(isAlone, { timeoutMs: 60_000, everyMs: 100, what: 'the first to have both partitions' });
    for (const release of held.values()) release();
    const inOrder = () => done.get(lost) ?? [];
    const last = String(2 * ROW - 1);
    await until(() => inOrder().includes(last), { timeoutMs: 60_000, what: 'both rows' });
    expect(inOrder()[0]).toBe('0');
    await others.close();
    await platformatic.close();
  });

  test('keeps dead letters with reason, origin and time', async () => {
    const spec = logs.topic('dead');
    await client.setup([spec], { dryRun: false });
    const letters = createDeadLetterTopic(client, spec.topic, () => 0);
    await letters.add([
      { value: Buffer.from('x'.repeat(2_000_000)), reason: 'too large', origin: 'topic/0/7' },
    ]);
    const sizes: number[] = [];
    const log = createKafkaLog({ client, topic: spec.topic, concurrency: 1, headers: {} });
    await logs.consume(
      log,
      'dead',
      async (batch) => void sizes.push(...batch.values.map((value) => value.length)),
    );
    await until(() => sizes.length > 0, { timeoutMs: 60_000, what: 'the letter' });
    expect(sizes).toEqual([900_000]);
  });
});
