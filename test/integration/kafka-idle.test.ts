import { createHook } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { createKafkajsClient } from '../../store/kafka/kafkajs/kafkajs.ts';
import type { KafkaPart } from '../parts/kafka.ts';
import { sharedKafka } from '../parts/shared.ts';
import { suiteWith } from '../parts/suite.ts';

jest.setTimeout(300_000);

suiteWith(['kafka'])('a connection of kafkajs that has nothing to do', () => {
  let kafka: KafkaPart;
  beforeAll(async () => {
    kafka = await sharedKafka();
  });
  afterAll(() => kafka?.close());

  test('sets no timer every millisecond', async () => {
    const client = createKafkajsClient({ brokers: kafka.brokers, clientId: 'test', onWarning: () => {} });
    const topic = `idle-${Date.now().toString(36)}`;
    await client.setup([{ topic, partitions: 1, replicationFactor: 1, retentionMs: 3_600_000 }], {
      dryRun: false,
    });
    await client.send(topic, [{ value: Buffer.from('a') }]);
    let timers = 0;
    const hook = createHook({
      init(_, type) {
        if (type === 'Timeout') timers++;
      },
    }).enable();
    await sleep(500);
    hook.disable();
    await client.close();
    // As kafkajs is, several hundred.
    expect(timers).toBeLessThan(20);
  });
});
