import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import kafkajs from 'kafkajs';
import type { Accounts } from '../../app/wire-sidecar.ts';
import type { SidecarAccounts } from '../../sidecar/accounting.ts';
import { FULL } from '../parts/full.ts';
import { openGate } from '../parts/gate.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { createAcls, createTopics, withAdmin } from '../parts/kafka-admin.ts';
import { recordsOf } from '../parts/kafka-records.ts';
import type { KafkaSecurity } from '../parts/kafka-security.ts';
import { freePort } from '../parts/ports.ts';
import { type Service, startService } from '../parts/service.ts';
import { type SecuredKafka, sharedSecuredKafka } from '../parts/shared.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { lineAt, postLines, tryPost } from './post-lines.ts';
import { tooOften } from './too-often.ts';

jest.setTimeout(300_000);
const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;
const PATIENCE_MS = 120_000;
const COUNT = 50;
const CLIENTS = ['kafkajs', 'platformatic'];

suiteWith(['kafka'], { stops: true })('a sidecar whose Kafka is away or refuses it', () => {
  let kafka: SecuredKafka;
  let security: KafkaSecurity;
  let folder: ReturnType<typeof temporaryFolder>;
  let env: Record<string, string>;
  let topic: string;
  let sidecar: Service | undefined;
  let topics = 0;

  beforeAll(async () => {
    kafka = await sharedSecuredKafka();
    security = kafka.security;
  });
  afterAll(() => kafka?.close());
  beforeEach(async () => {
    folder = temporaryFolder('access');
    topic = `access-${topics++}`;
    await withAdmin(kafka, (admin) =>
      createTopics(
        admin,
        [topic, `${topic}.dead`].map((name) => ({ topic: name })),
      ),
    );
    env = {
      HOTITEM_HOME: folder.path,
      HOTITEM_NODE: 'web-1',
      HOTITEM_ADMIN_LISTEN: `127.0.0.1:${await freePort()}`,
      KAFKA_BROKERS: kafka.brokers.join(','),
      HOTITEM_KAFKA_TOPIC: topic,
      HOTITEM_KAFKA_DEAD_LETTER_TOPIC: `${topic}.dead`,
    };
  });
  afterEach(async () => {
    await sidecar?.stop();
    sidecar = undefined;
    folder.remove();
  });

  test.each(CLIENTS)(
    'without Write says so once a minute, keeps all events, and delivers them once it is granted (%s)',
    async (client) => {
      const running = await run({ ...withLogin(), HOTITEM_KAFKA_CLIENT: client });
      await post(COUNT);
      await refusals(running, 'authorization', 3);
      await post(COUNT);
      expect(await books(running)).toMatchObject({ accepted: 2 * COUNT, waiting: 2 * COUNT, delivered: 0 });
      const said = refusalsIn(running, 'permission');
      expect(said).not.toEqual([]);
      expect(tooOften(said)).toEqual([]);

      await grant(topic);
      expect(await delivered(running, 2 * COUNT)).toMatchObject({ waiting: 0, dead: 0, unaccounted: 0 });
      expect(await ids()).toHaveProperty('size', 2 * COUNT);
    },
  );

  test.each(FULL ? CLIENTS : ['kafkajs'])(
    'with a rejected login says so once a minute, without the password (%s)',
    async (client) => {
      const running = await run({
        ...withLogin(),
        HOTITEM_KAFKA_CLIENT: client,
        HOTITEM_KAFKA_SASL_PASSWORD: 'a-wrong-one',
      });
      await post(COUNT);
      await refusals(running, 'authentication', 2);
      expect(await books(running)).toMatchObject({ accepted: COUNT, waiting: COUNT, delivered: 0 });
      const said = refusalsIn(running, 'kafka.sasl');
      expect(said).not.toEqual([]);
      expect(tooOften(said)).toEqual([]);
      expect(running.log()).not.toContain('a-wrong-one');
    },
  );

  test('sheds load step by step while Kafka is unavailable, and recovers', async () => {
    const gate = await openGate(`http://${kafka.brokers[0]}`);
    await gate.shut();
    const running = await run({
      KAFKA_BROKERS: new URL(gate.address).host,
      HOTITEM_SPOOL_MAX_BYTES: '300000',
      HOTITEM_SPOOL_SEGMENT_BYTES: '10000',
      HOTITEM_SPOOL_SHEDDING_FROM: '0.5',
      // A log line for each of a hundred hot items would hide those that are asked for.
      HOTITEM_HEAT_ENABLED: 'false',
    });
    const steps = new Set<number>();
    let views = 0;
    while ((await tryPost(intake(), linesOf(COUNT))) === 204) {
      views += COUNT;
      const { sheddingStep } = await books(running);
      expect(await running.metric('hotitem_shedding_step')).toBe(sheddingStep);
      steps.add(sheddingStep);
    }
    expect([...steps]).toEqual([0, 1, 2, 3, 4, 5]);
    const full = await books(running);
    expect(full).toMatchObject({ received: views, delivered: 0, unaccounted: 0 });
    expect(full.accepted + full.sampledOut).toBe(views);
    const climbed = warnings(running, 'the spool fills up, events are sampled');
    expect(climbed.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5]);
    expect(await running.metric('hotitem_intake_rejected_total')).toBe(1);
    await refusals(running, 'unreachable', 2);
    const said = refusalsIn(running);
    expect(said).not.toEqual([]);
    expect(tooOften(said)).toEqual([]);

    await gate.open();
    expect(await delivered(running, full.accepted)).toMatchObject({ waiting: 0, dead: 0, unaccounted: 0 });
    const records = await recordsOf(kafka.brokers, topic);
    const weights = records.map(({ value }) => (JSON.parse(value) as { weight?: number }).weight ?? 1);
    // An event of weight w stands for itself and for w − 1 of variance w(w − 1) together.
    const error = Math.sqrt(weights.reduce((sum, weight) => sum + weight * (weight - 1), 0));
    const estimate = weights.reduce((sum, weight) => sum + weight, 0);
    expect(Math.abs(estimate - views)).toBeLessThanOrEqual(5 * error);
    await until(async () => (await books(running)).sheddingStep === 0, {
      timeoutMs: PATIENCE_MS,
      what: 'every event to be kept again',
      detail: running.log,
    });
    await post(COUNT);
    expect(await delivered(running, full.accepted + COUNT)).toMatchObject({ sheddingStep: 0 });
    expect(warnings(running, 'every event is kept again')).toHaveLength(1);
    await gate.shut();
  });

  async function run(settings: Record<string, string>): Promise<Service> {
    const admin = env.HOTITEM_ADMIN_LISTEN ?? '';
    const logFile = join(folder.path, 'sidecar.log');
    sidecar = await startService({ args: ['sidecar'], env: { ...env, ...settings }, admin, logFile });
    return sidecar;
  }

  function withLogin(): Record<string, string> {
    return {
      KAFKA_BROKERS: security.saslTls.join(','),
      HOTITEM_KAFKA_TLS: 'true',
      HOTITEM_KAFKA_CA_FILE: security.caFile,
      HOTITEM_KAFKA_SASL_MECHANISM: 'scram-sha-512',
      HOTITEM_KAFKA_SASL_USERNAME: security.username,
      HOTITEM_KAFKA_SASL_PASSWORD: security.password,
    };
  }

  function post(count: number): Promise<void> {
    return postLines(intake(), linesOf(count));
  }

  function intake(): string {
    return join(folder.path, 'run/intake.sock');
  }

  /** What docs/kafka.md asks for. */
  async function grant(name: string): Promise<void> {
    const common = {
      principal: `User:${security.username}`,
      host: '*',
      permissionType: AclPermissionTypes.ALLOW,
      resourceType: AclResourceTypes.TOPIC,
      resourcePatternType: ResourcePatternTypes.LITERAL,
    };
    const acl = [name, `${name}.dead`].flatMap((resourceName) =>
      [AclOperationTypes.WRITE, AclOperationTypes.DESCRIBE].map((operation) => ({
        ...common,
        resourceName,
        operation,
      })),
    );
    await withAdmin(kafka, (admin) => createAcls(admin, acl));
  }

  async function refusals(running: Service, reason: string, count: number): Promise<void> {
    await until(async () => (await retries(running, reason)) >= count, {
      timeoutMs: PATIENCE_MS,
      what: `${count} refusals for ${reason}`,
      detail: running.log,
    });
  }

  function delivered(running: Service, count: number): Promise<SidecarAccounts> {
    const all = async () => {
      const now = await books(running);
      return now.delivered === count && now.waiting === 0 ? now : undefined;
    };
    return until(all, { timeoutMs: PATIENCE_MS, what: `${count} delivered`, detail: running.log });
  }

  async function ids(): Promise<Set<string>> {
    const records = await recordsOf(kafka.brokers, topic);
    return new Set(records.map(({ value }) => (JSON.parse(value) as { id: string }).id));
  }
});

async function books(running: Service): Promise<SidecarAccounts> {
  const { sidecar } = await running.json<Accounts>('/api/v1/accounting');
  if (sidecar === undefined) throw new Error('no sidecar in the books');
  return sidecar;
}

async function retries(running: Service, reason: string): Promise<number> {
  const text = await running.text('/metrics');
  const [, count = '0'] =
    new RegExp(`^hotitem_forward_retries_total{reason="${reason}"} (\\d+)`, 'm').exec(text) ?? [];
  return Number(count);
}

type Line = { time: string; msg: string; hint?: string; step?: number };

/** That Kafka does not accept events; for one reason, by its hint: on a busy machine, a connection may time out before it is refused. */
function refusalsIn(running: Service, hint = ''): Line[] {
  const said = warnings(running, 'Kafka does not accept events; they wait in the spool');
  return said.filter((line) => (line.hint ?? '').includes(hint));
}

function warnings(running: Service, message: string): Line[] {
  const lines = running
    .log()
    .split('\n')
    .filter((line) => line.startsWith('{'));
  return lines.map((line) => JSON.parse(line) as Line).filter(({ msg }) => msg === message);
}

function linesOf(count: number): string[] {
  return Array.from({ length: count }, (_, i) => lineAt(Date.now(), i));
}
