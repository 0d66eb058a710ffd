import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { KafkaClient, KafkaConnection, Sasl } from '../../store/kafka/client.ts';
import { KafkaError } from '../../store/kafka/error.ts';
import { createKafkajsClient } from '../../store/kafka/kafkajs/kafkajs.ts';
import { createPlatformaticClient } from '../../store/kafka/platformatic/platformatic.ts';
import { FULL } from '../parts/full.ts';
import { withAdmin } from '../parts/kafka-admin.ts';
import type { KafkaSecurity } from '../parts/kafka-security.ts';
import { type SecuredKafka, sharedSecuredKafka } from '../parts/shared.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { joined } from './kafka-logs.ts';
import { allowAll } from './permissions.ts';

jest.setTimeout(300_000);

const CLIENTS = { kafkajs: createKafkajsClient, platformatic: createPlatformaticClient };
const ALL_MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;
const MECHANISMS = FULL ? ALL_MECHANISMS : (['plain', 'scram-sha-512'] as const);

suiteWith(['kafka'], { stops: true })('TLS and logins', () => {
  let kafka: SecuredKafka;
  let security: KafkaSecurity;
  const said: string[] = [];

  beforeAll(async () => {
    kafka = await sharedSecuredKafka();
    security = kafka.security;
    const admin = createKafkajsClient({ brokers: kafka.brokers, clientId: 'test', onWarning: () => {} });
    await admin.setup([{ topic: 'secured', partitions: 1, replicationFactor: 1, retentionMs: 3_600_000 }], {
      dryRun: false,
    });
    await admin.close();
    await allowLogins();
  });
  afterAll(async () => {
    await kafka?.close();
    expect(said.join('\n')).not.toContain(security.password);
  });

  describe.each(Object.entries(CLIENTS))('%s', (which, createClient) => {
    test('speaks TLS with a certificate of the configured CA', async () => {
      const client = connect({ brokers: security.tls, tls: { ca: security.ca } });
      await sent(client);
      await client.close();
    });

    test('does not trust a certificate of another CA', async () => {
      const client = connect({ brokers: security.tls, tls: {} });
      await expect(sent(client)).rejects.toMatchObject({
        failure: 'tls',
        retriable: true,
      });
      await client.close();
    });

    test.each(MECHANISMS)('logs in by %s over TLS, writes and reads', async (mechanism) => {
      const client = connect({ brokers: security.saslTls, tls: { ca: security.ca }, sasl: login(mechanism) });
      const value = `${which} by ${mechanism}`;
      await sent(client, value);
      const seen: string[] = [];
      const options = { topic: 'secured', group: groupOf(which, mechanism), concurrency: 1 };
      const consumer = await joined(() =>
        client.consume(options, async ({ values }) => void seen.push(...values.map(String))),
      );
      await until(() => seen.includes(value), { timeoutMs: 60_000, what: 'the event' });
      await consumer.close(1_000);
      await client.close();
    });

    test.each(MECHANISMS)('reports that a login by %s was rejected', async (mechanism) => {
      const sasl = { ...login(mechanism), password: 'wrong' };
      const client = connect({ brokers: security.sasl, sasl });
      await expect(sent(client)).rejects.toMatchObject({
        failure: 'authentication',
        retriable: true,
        hint: expect.stringContaining('kafka.sasl'),
      });
      await client.close();
    });

    function connect(connection: Pick<KafkaConnection, 'brokers' | 'tls' | 'sasl'>): KafkaClient {
      return createClient({ ...connection, clientId: 'test', onWarning: (message) => said.push(message) });
    }
  });

  /** Sends, again where a busy broker has not answered in time: that is not yet what it says about the connection. */
  async function sent(client: KafkaClient, value = 'a'): Promise<void> {
    const send = () =>
      client.send('secured', [{ value: Buffer.from(value) }]).then(
        () => true,
        (error: unknown) => {
          if (!(error instanceof KafkaError) || error.failure !== 'unreachable') throw error;
          return false;
        },
      );
    await until(send, { timeoutMs: 60_000, what: 'Kafka to answer' });
  }

  async function allowLogins(): Promise<void> {
    const groups = Object.keys(CLIENTS).flatMap((which) =>
      MECHANISMS.map((mechanism) => groupOf(which, mechanism)),
    );
    await withAdmin(kafka, async (admin) => {
      for (const group of groups)
        await allowAll(admin, { topic: 'secured', dead: 'secured', group }, security);
    });
  }

  function login(mechanism: Sasl['mechanism']): Sasl {
    return { mechanism, username: security.username, password: security.password };
  }
});

function groupOf(which: string, mechanism: Sasl['mechanism']): string {
  return `secured-${which}-${mechanism}`;
}
