import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import kafkajs from 'kafkajs';
import type { Replayed } from '../../reconcile/replay.ts';
import type { Verified } from '../../reconcile/verify.ts';
import { type ElasticsearchPart, startElasticsearch } from '../parts/elasticsearch.ts';
import { FULL } from '../parts/full.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { type KafkaPart, startKafka } from '../parts/kafka.ts';
import { createAcls, withAdmin } from '../parts/kafka-admin.ts';
import { AUTHORIZER } from '../parts/kafka-security.ts';
import { suiteWith } from '../parts/suite.ts';
import { startTlsProxy, type TlsProxy } from '../parts/tls-proxy.ts';
import { until } from '../parts/until.ts';
import { view } from './index-contract.ts';
import { openPastTopic, type PastTopic } from './past-topic.ts';
import { askHotitem, runHotitem } from './run-hotitem.ts';
import { setUpIndexes } from './set-up.ts';
import { type SinkSettings, sinkSettings, startSinkService } from './sink-topic.ts';

jest.setTimeout(300_000);
const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;
const { READ, WRITE, DESCRIBE, DELETE } = AclOperationTypes;
const COUNT = 30;
const SECRET = 'sesame-sesame';
/** As docs/elasticsearch.md has them; who compares may read as well. */
const ROLES = `
setup:
  cluster: [monitor, manage_index_templates]
  indices: [{ names: ["hot_item*"], privileges: [manage, view_index_metadata] }]
operator:
  indices: [{ names: ["hot_item*"], privileges: [create_doc, auto_configure, read] }]
anyone:
  cluster: [monitor]
`;
const USERS = ['setup', 'operator'].map((name) => `${name}:${SECRET}\n`).join('');

type Allowed = Omit<kafkajs.AclEntry, 'principal' | 'host' | 'permissionType'>;

const suite = FULL ? suiteWith(['kafka', 'elasticsearch'], { stops: true }) : describe.skip;

suite('commands between a Kafka and an Elasticsearch that ask for a login over TLS', () => {
  const folder = temporaryFolder('commands');
  let kafka: KafkaPart;
  let elasticsearch: ElasticsearchPart;
  let proxy: TlsProxy;
  let env: SinkSettings;
  let topic: PastTopic;

  beforeAll(async () => {
    [kafka, elasticsearch] = await Promise.all([
      startKafka({ secured: true, properties: AUTHORIZER }),
      startElasticsearch({
        settings: { 'xpack.security.enabled': 'true', 'xpack.security.authc.anonymous.roles': 'anyone' },
        files: { 'roles.yml': ROLES, users: USERS, users_roles: 'setup:setup\noperator:operator\n' },
      }),
    ]);
    proxy = await startTlsProxy(elasticsearch.node, folder.path);
    const plain = {
      ...sinkSettings('commands', { brokers: kafka.brokers, node: proxy.address }),
      HOTITEM_HOME: folder.path,
      HOTITEM_ELASTICSEARCH_CA_FILE: proxy.caFile,
      HOTITEM_ELASTICSEARCH_PASSWORD: SECRET,
    };
    const { saslTls = [], caFile = '', username = '', password = '' } = kafka.security ?? {};
    env = {
      ...plain,
      KAFKA_BROKERS: saslTls.join(','),
      HOTITEM_KAFKA_TLS: 'true',
      HOTITEM_KAFKA_CA_FILE: caFile,
      HOTITEM_KAFKA_SASL_MECHANISM: 'scram-sha-256',
      HOTITEM_KAFKA_SASL_USERNAME: username,
      HOTITEM_KAFKA_SASL_PASSWORD: password,
      HOTITEM_ELASTICSEARCH_USERNAME: 'operator',
    };
    await setUpIndexes({ ...plain, HOTITEM_ELASTICSEARCH_USERNAME: 'setup' });
    await grant();
    topic = await openPastTopic(plain);
    const time = Date.now() - 6 * 60_000;
    const events = Array.from({ length: COUNT }, (_, i) => ({ value: view({ time: time + i }), seq: i }));
    await topic.write([...events, { value: 'no event', seq: COUNT }]);
  });
  afterAll(async () => {
    await topic?.close();
    proxy?.close();
    await Promise.all([kafka?.close(), elasticsearch?.close()]);
    folder.remove();
  });

  test('verify, replay and dead-letters work with the documented permissions', async () => {
    expect(await askHotitem<Replayed>(['replay', '--from', '-1d'], env)).toMatchObject({
      answer: { read: COUNT + 1, created: COUNT, existing: 0, dead: 1 },
    });
    const sink = await startSinkService(env, join(folder.path, 'sink.log'));
    await until(async () => (await sink.metric('hotitem_sink_consumed_total')) > COUNT, {
      timeoutMs: 60_000,
      what: 'all records to be dealt with',
      detail: sink.log,
    });
    await sink.stop();
    expect(await askHotitem<Verified>(['verify'], env)).toMatchObject({
      status: 0,
      answer: { balanced: true, expected: COUNT + 1, there: COUNT, dead: 1, missing: 0, duplicate: 0 },
    });
    const { code, stdout } = await runHotitem(['dead-letters', 'list'], env);
    expect(code).toBe(0);
    expect(stdout).toContain('no event');
  });

  test.each([
    ['the login to Kafka', { HOTITEM_KAFKA_SASL_PASSWORD: 'a-wrong-one' }, 'see kafka.sasl'],
    ['the login to Elasticsearch', { HOTITEM_ELASTICSEARCH_PASSWORD: 'a-wrong-one' }, 'rejects the login'],
    ['the authority of Elasticsearch', { HOTITEM_ELASTICSEARCH_CA_FILE: '' }, 'certificate'],
  ])('verify has no result without %s, and shows no password', async (_, wrong, said) => {
    const settings = Object.entries({ ...env, ...wrong }).filter(([, value]) => value !== '');
    const ran = await runHotitem(['verify'], Object.fromEntries(settings));
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain(said);
    for (const secret of ['a-wrong-one', SECRET]) expect(ran.stdout + ran.stderr).not.toContain(secret);
    expect(ran.stderr).not.toContain('    at ');
  });

  test('dead-letters replay needs Write on the topic of events, and purge needs Delete on the dead-letter topic', async () => {
    await refused(['dead-letters', 'replay'], `cannot write to topic ${eventTopic()}`);
    await grantTopic(eventTopic(), [WRITE]);
    expect(await askHotitem(['dead-letters', 'replay'], env)).toMatchObject({
      status: 0,
      answer: { replayed: 1, refused: 0 },
    });
    expect(await topic.recordsOf(eventTopic())).toHaveLength(COUNT + 2);

    await refused(['dead-letters', 'purge', '--yes'], `cannot delete from topic ${eventTopic()}.dead`);
    expect((await runHotitem(['dead-letters', 'list'], env)).stdout).toContain('no event');
    await grantTopic(`${eventTopic()}.dead`, [DELETE]);
    expect(await askHotitem(['dead-letters', 'purge', '--yes'], env)).toMatchObject({
      status: 0,
      answer: { letters: 1, notReplayed: 0 },
    });
    expect((await runHotitem(['dead-letters', 'list'], env)).stdout).toBe('');
  });

  /** Kafka does not permit it: it says so and ends, with no trace of the stack. */
  async function refused(args: string[], what: string): Promise<void> {
    const ran = await runHotitem(args, env);
    expect(ran.code).not.toBe(0);
    expect(ran.stderr).toContain(what);
    expect(ran.stderr).toContain('lacks this permission');
    expect(ran.stderr).not.toContain('    at ');
  }

  async function grant(): Promise<void> {
    await grantTopic(eventTopic(), [READ, DESCRIBE]);
    await grantTopic(`${eventTopic()}.dead`, [READ, WRITE, DESCRIBE]);
    await allow({
      resourceName: env.HOTITEM_KAFKA_GROUP ?? '',
      operation: READ,
      resourceType: AclResourceTypes.GROUP,
      resourcePatternType: ResourcePatternTypes.PREFIXED,
    });
  }

  async function grantTopic(resourceName: string, operations: number[]): Promise<void> {
    const resourceType = AclResourceTypes.TOPIC;
    const resourcePatternType = ResourcePatternTypes.LITERAL;
    for (const operation of operations) {
      await allow({ resourceName, operation, resourceType, resourcePatternType });
    }
  }

  async function allow(what: Allowed): Promise<void> {
    const principal = `User:${kafka.security?.username}`;
    const acl = [{ ...what, principal, host: '*', permissionType: AclPermissionTypes.ALLOW }];
    await withAdmin(kafka, (admin) => createAcls(admin, acl));
  }

  function eventTopic(): string {
    return env.HOTITEM_KAFKA_TOPIC ?? '';
  }
});
