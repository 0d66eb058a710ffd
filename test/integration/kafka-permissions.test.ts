import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { Admin } from 'kafkajs';
import type { Accounts } from '../../app/wire-sidecar.ts';
import type { SinkAccounts } from '../../app/wire-sink.ts';
import type { KafkaConnection } from '../../store/kafka/client.ts';
import { type KafkajsConsumerOptions, startKafkajsConsumer } from '../../store/kafka/kafkajs/consumer.ts';
import { createKafka } from '../../store/kafka/kafkajs/kafkajs.ts';
import { FULL } from '../parts/full.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { addPartitions, createTopics, isCommitted, withAdmin } from '../parts/kafka-admin.ts';
import type { KafkaSecurity } from '../parts/kafka-security.ts';
import { freePort } from '../parts/ports.ts';
import { type Service, startService } from '../parts/service.ts';
import { type SecuredKafka, sharedSecuredKafka } from '../parts/shared.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { allowAll, giveBack, PERMISSIONS, type Permission, type Resources, take } from './permissions.ts';
import { lineAt, postLines } from './post-lines.ts';
import { someEvents } from './sink-topic.ts';

jest.setTimeout(300_000);
const PATIENCE_MS = 120_000;
const COUNT = 20;
const CLIENTS = ['kafkajs', 'platformatic'];
/** Below what a line of `large` becomes. */
const LARGEST = '3000';
/** Those to read, which a sink over kafkajs did not name. */
const SHORT = PERMISSIONS.filter(
  ({ whose, on, operation }) => whose === 'sink' && on !== 'dead' && operation === 'READ',
);
/** The one whose loss ended a sink for good. */
const SHORTEST = SHORT.filter(({ on }) => on === 'group');

suiteWith(['kafka'], { stops: true })('a permission that is missing, and given', () => {
  let kafka: SecuredKafka;
  let security: KafkaSecurity;
  let folder: ReturnType<typeof temporaryFolder>;
  let env: Record<string, string>;
  let resources: Resources;
  let running: Service[];
  let names = 0;

  beforeAll(async () => {
    kafka = await sharedSecuredKafka();
    security = kafka.security;
  });
  afterAll(() => kafka?.close());
  beforeEach(async () => {
    folder = temporaryFolder('permissions');
    running = [];
    const topic = `permissions-${names++}`;
    resources = { topic, dead: `${topic}.dead`, group: `hotitem-sink-${topic}` };
    await withAdmin(kafka, async (admin) => {
      const configEntries = [{ name: 'max.message.bytes', value: LARGEST }];
      const topics = [{ topic, configEntries }, { topic: `${topic}.dead` }];
      await createTopics(admin, topics);
      await allowAll(admin, resources, security);
    });
    env = {
      HOTITEM_HOME: folder.path,
      HOTITEM_NODE: 'web-1',
      // Without the topic of decisions, which needs permissions of its own.
      HOTITEM_HEAT_ENABLED: 'false',
      HOTITEM_KAFKA_COMPRESSION: 'none',
      HOTITEM_KAFKA_TOPIC: topic,
      HOTITEM_KAFKA_DEAD_LETTER_TOPIC: resources.dead,
      KAFKA_BROKERS: security.saslTls.join(','),
      HOTITEM_KAFKA_TLS: 'true',
      HOTITEM_KAFKA_CA_FILE: security.caFile,
      HOTITEM_KAFKA_SASL_MECHANISM: 'scram-sha-512',
      HOTITEM_KAFKA_SASL_USERNAME: security.username,
      HOTITEM_KAFKA_SASL_PASSWORD: security.password,
    };
  });
  afterEach(async () => {
    await Promise.all(running.map((service) => service.stop()));
    folder.remove();
  });

  describe.each(CLIENTS)('%s', (client) => {
    test.each(named(FULL ? PERMISSIONS : client === 'kafkajs' ? SHORT : SHORTEST))(
      'from the start: %s: names it, and recovers by itself',
      async (_, permission) => {
        await change(take, permission);
        const waiting = start(permission.whose, client);
        // Nobody is ready without it, but a sidecar is: nginx can go on.
        const service =
          permission.whose === 'sidecar' || permission.forDead ? await waiting.started : undefined;
        await provoke(permission, permission.whose === 'sidecar' ? post : produce);
        await until(() => waiting.log().includes(needOf(permission)), {
          timeoutMs: PATIENCE_MS,
          what: needOf(permission),
          detail: waiting.log,
        });
        expect(waiting.log()).not.toContain('before initialization');
        await change(giveBack, permission);
        const first = service ?? (await waiting.started);
        if (permission.whose === 'sidecar') await forwarded(first, permission.forDead ? 1 : 0);
        else await consumed(first, permission.forDead ? COUNT + 1 : COUNT);
      },
    );

    test.each(named(FULL ? PERMISSIONS : SHORTEST))(
      'later: %s: names it, and recovers by itself, each event indexed once',
      async (_, permission) => {
        const sidecar = await start('sidecar', client).started;
        const sink = await start('sink', client).started;
        await post(COUNT);
        await consumed(sink, COUNT);
        await change(take, permission);
        await provoke(permission);
        // Kafka asks for it only who joins.
        if (permission.on === 'group' && permission.operation === 'DESCRIBE') await addPartition();
        // Kafka asks for it only who asks for the leaders: until then the sidecar goes on.
        const mayGoOn = permission.on === 'topic' && permission.operation === 'DESCRIBE';
        const noticed =
          permission.whose === 'sidecar'
            ? async () =>
                sidecar.log().includes(needOf(permission)) || (mayGoOn && (await isForwarded(sidecar, 0)))
            : async () => (await readiness(sink)).includes(needOf(permission));
        await until(noticed, {
          timeoutMs: PATIENCE_MS,
          everyMs: 250,
          what: needOf(permission),
          detail: async () => `${await readiness(sink)}\n${sidecar.log()}\n${sink.log()}`,
        });
        await change(giveBack, permission);
        await post(COUNT);
        const letters = permission.forDead ? 1 : 0;
        if (permission.whose === 'sidecar') await forwarded(sidecar, letters);
        await consumed(sink, 3 * COUNT + (permission.whose === 'sink' ? letters : 0));
        await until(async () => (await readiness(sink)).includes('sink: ok'), {
          timeoutMs: PATIENCE_MS,
          what: 'the sink to be ready',
        });
      },
    );
  });

  test('kafkajs: a batch that fails just after its member was given up does not end the process', async () => {
    const { topic, group } = resources;
    const permission = PERMISSIONS.find(({ on, operation }) => on === 'topic' && operation === 'READ');
    if (permission === undefined) throw new Error('there is no such permission');
    const { username, password } = security;
    const connection: KafkaConnection = {
      brokers: security.saslTls,
      clientId: 'test',
      tls: { ca: readFileSync(security.caFile, 'utf8') },
      sasl: { mechanism: 'scram-sha-512', username, password },
      onWarning() {},
    };
    const uncaught: unknown[] = [];
    const note = (error: unknown) => void uncaught.push(error);
    process.on('unhandledRejection', note);
    let attempts = 0;
    let givenUp = () => {};
    const stopped = new Promise<void>((resolve) => {
      givenUp = resolve;
    });
    const library = createKafka(connection);
    const options: KafkajsConsumerOptions = {
      create() {
        const member = library.consumer({ groupId: group, retry: { restartOnFailure: async () => false } });
        member.on(member.events.STOP, givenUp);
        return member;
      },
      topic,
      group,
      concurrency: 1,
      async handle() {
        if (attempts++ > 0) return;
        await stopped;
        throw new Error('the index is unavailable');
      },
      onFailure: String,
      onReset() {},
    };
    // A new group's coordinator is not there at once.
    const consumer = await until(() => startKafkajsConsumer(options).catch(() => undefined), {
      timeoutMs: PATIENCE_MS,
      what: 'the group',
    });
    try {
      await withProducer((send) => send(topic, 'an event'));
      const tried = (times: number) => () => attempts >= times;
      await until(tried(1), { timeoutMs: PATIENCE_MS, what: 'the batch' });
      await change(take, permission);
      await stopped;
      await change(giveBack, permission);
      await until(tried(2), { timeoutMs: PATIENCE_MS, what: 'the batch again' });
      expect(uncaught).toEqual([]);
    } finally {
      process.off('unhandledRejection', note);
      await consumer.close(0);
    }
  });

  function start(whose: Permission['whose'], client: string) {
    const logFile = join(folder.path, `${whose}.log`);
    const started = freePort().then(async (port) => {
      const admin = `127.0.0.1:${port}`;
      const listen = { HOTITEM_ADMIN_LISTEN: admin, HOTITEM_ADMIN_SINK_LISTEN: admin };
      // One index for each: DuckDB's file has one owner.
      const index = { HOTITEM_DUCKDB_PATH: join(folder.path, `${whose}.duckdb`) };
      const settings = { ...env, ...listen, ...index, HOTITEM_KAFKA_CLIENT: client };
      const service = await startService({ args: [whose], env: settings, admin, logFile });
      running.push(service);
      return service;
    });
    started.catch(() => {});
    const log = () => {
      try {
        return readFileSync(logFile, 'utf8');
      } catch {
        return '';
      }
    };
    return { started, log };
  }

  /** Events, and one that only a dead letter can keep, where the permission is for those. */
  async function provoke(
    { whose, forDead }: Permission,
    deliver: (count: number) => Promise<void> = post,
  ): Promise<void> {
    if (forDead && whose === 'sink') await withProducer((send) => send(resources.topic, 'no event at all'));
    await deliver(COUNT);
    if (forDead && whose === 'sidecar') await post(1, 'x'.repeat(Number(LARGEST)));
  }

  async function withProducer(
    work: (send: (topic: string, value: string) => Promise<unknown>) => Promise<unknown>,
  ) {
    const kafkajs = (await import('kafkajs')).default;
    const producer = new kafkajs.Kafka({
      brokers: kafka.brokers,
      logLevel: kafkajs.logLevel.NOTHING,
    }).producer({
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    });
    await producer.connect();
    await work((topic, value) => producer.send({ topic, messages: [{ value }] }));
    await producer.disconnect();
  }

  /** Events in the topic, without a sidecar. */
  async function produce(count: number): Promise<void> {
    await withProducer(async (send) => {
      for (const event of someEvents(count)) await send(resources.topic, JSON.stringify(event));
    });
  }

  function post(count: number, query = ''): Promise<void> {
    const lines = Array.from({ length: count }, (_, i) =>
      query === '' ? lineAt(Date.now(), i) : lineAt(Date.now(), i).replace('.html\t', `.html?q=${query}\t`),
    );
    return postLines(join(folder.path, 'run/intake.sock'), lines);
  }

  function needOf({ whose, on }: Permission): string {
    if (on === 'group') return `it needs Read and Describe on group ${resources.group}`;
    const reads = whose === 'sink' && on === 'topic';
    return `it needs ${reads ? 'Read' : 'Write'} and Describe on topic ${resources[on]}`;
  }

  function change(how: typeof take, permission: Permission): Promise<void> {
    return withAdmin(kafka, (admin) => how(admin, permission, resources, security));
  }

  async function forwarded(sidecar: Service, dead: number): Promise<void> {
    const all = () => isForwarded(sidecar, dead);
    await until(all, { timeoutMs: PATIENCE_MS, what: 'everything to be forwarded', detail: sidecar.log });
  }

  async function isForwarded(sidecar: Service, dead: number): Promise<boolean> {
    const { sidecar: now } = await sidecar.json<Accounts>('/api/v1/accounting');
    return now?.waiting === 0 && now.unaccounted === 0 && now.dead === dead;
  }

  async function addPartition(): Promise<void> {
    const { topic } = resources;
    const { topics } = await withAdmin(kafka, (admin) => admin.fetchTopicMetadata({ topics: [topic] }));
    await addPartitions(kafka, { topic, count: (topics[0]?.partitions.length ?? 0) + 1 });
  }

  async function consumed(sink: Service, count: number): Promise<void> {
    const isRead = (admin: Admin) => isCommitted(admin, resources.topic, resources.group);
    const all = async () => {
      const { sink: now } = await sink.json<{ sink: SinkAccounts }>('/api/v1/accounting');
      const { consumed, indexed, existing, dead, unaccounted } = now;
      if (consumed < count || unaccounted !== 0 || indexed + dead > count) return false;
      // A batch that was indexed and could not be committed comes again, and is there already.
      return indexed + existing + dead >= count && (await withAdmin(kafka, isRead));
    };
    const detail = async () => `${JSON.stringify(await sink.json('/api/v1/accounting'))}\n${sink.log()}`;
    await until(all, { timeoutMs: PATIENCE_MS, what: `${count} records to be indexed`, detail });
  }
});

function named(permissions: Permission[]): [string, Permission][] {
  return permissions.map((permission) => [
    `${permission.operation} on the ${permission.on === 'dead' ? 'dead-letter topic' : permission.on} for a ${permission.whose}`,
    permission,
  ]);
}

function readiness(service: Service): Promise<string> {
  return service.text('/readyz?verbose');
}
