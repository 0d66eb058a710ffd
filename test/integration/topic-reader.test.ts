import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { KafkaClient } from '../../store/kafka/client.ts';
import { createKafkajsClient } from '../../store/kafka/kafkajs/kafkajs.ts';
import { createTopicReader } from '../../store/kafka/kafkajs/reader.ts';
import { createPlatformaticReader } from '../../store/kafka/platformatic/reader.ts';
import type { OffsetRange, TopicReader } from '../../store/kafka/topic-reader.ts';
import { FULL } from '../parts/full.ts';
import { type KafkaPart, startKafka } from '../parts/kafka.ts';
import { suiteWith } from '../parts/suite.ts';

jest.setTimeout(300_000);
const PARTITIONS = 3;
const COUNT = 30_000;
// What is usual about it is tested with the commands that read: dead-letters, replay, verify.
const suite = FULL ? suiteWith(['kafka'], { stops: true }) : describe.skip;

const READERS = { kafkajs: createTopicReader, platformatic: createPlatformaticReader };

suite('a topic, looked back into', () => {
  describe.each(Object.entries(READERS))('by %s', (which, createReader) => {
    const TOPIC = `past-${which}-${Date.now().toString(36)}`;
    let kafka: KafkaPart;
    let client: KafkaClient;
    let reader: TopicReader;

    beforeAll(async () => {
      kafka = await startKafka();
      const connection = { brokers: kafka.brokers, clientId: 'test', onWarning: () => {} };
      client = createKafkajsClient(connection);
      reader = createReader({ connection, groupPrefix: 'test' });
      const spec = { topic: TOPIC, partitions: PARTITIONS, replicationFactor: 1, retentionMs: 3_600_000 };
      await client.setup([spec], { dryRun: false });
      for (let i = 0; i < COUNT; i += 1_000) {
        const values = Array.from({ length: 1_000 }, (_, k) => ({ value: Buffer.from(`event ${i + k}`) }));
        await client.send(TOPIC, values);
      }
    });
    afterAll(async () => {
      await reader?.close();
      await client?.close();
      await kafka?.close();
    });

    test('describes groups of a Kafka that has had no group before', async () => {
      const groups = Array.from({ length: 50 }, (_, i) => `group-${i}`);
      const committed = await Promise.all(groups.map((group) => reader.committed(TOPIC, group)));
      expect(committed).toEqual(groups.map(() => new Map()));
    });

    test('delivers the records of a range, each once, and each partition in order', async () => {
      const ranges = (await reader.bounds(TOPIC)).map(({ partition, to }) => ({
        partition,
        from: 10n,
        to: to - 10n,
      }));
      const offsets = await read(ranges);
      expect([...offsets.keys()].sort()).toEqual([0, 1, 2]);
      for (const { partition, from, to } of ranges) {
        expect(offsets.get(partition)).toEqual(
          Array.from({ length: Number(to - from) }, (_, i) => String(Number(from) + i)),
        );
      }
    });

    test('reads nothing, and does not wait, if there is nothing', async () => {
      expect(await read([{ partition: 0, from: 5n, to: 5n }])).toEqual(new Map());
    });

    test('rejects with the error of its handler', async () => {
      const reading = reader.read(TOPIC, await reader.bounds(TOPIC), async () => {
        throw new Error('enough');
      });
      await expect(reading).rejects.toThrow('enough');
    });

    test('delivers each record once if the broker is killed meanwhile', async () => {
      const bounds = await reader.bounds(TOPIC);
      let batches = 0;
      const offsets = await read(bounds, async () => {
        if (++batches === 3) {
          await kafka.kill();
          await kafka.start();
        }
        await sleep(10);
      });
      for (const { partition, to } of bounds) {
        expect(offsets.get(partition)).toEqual(Array.from({ length: Number(to) }, (_, i) => String(i)));
      }
    });

    async function read(ranges: OffsetRange[], onBatch = async () => {}): Promise<Map<number, string[]>> {
      const offsets = new Map<number, string[]>();
      await reader.read(TOPIC, ranges, async (records) => {
        await onBatch();
        for (const { partition, offset } of records) {
          const seen = offsets.get(partition) ?? [];
          seen.push(offset);
          offsets.set(partition, seen);
        }
      });
      return offsets;
    }
  });
});
