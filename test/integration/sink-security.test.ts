import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type ElasticsearchPart, startElasticsearch } from '../parts/elasticsearch.ts';
import { FULL } from '../parts/full.ts';
import { temporaryFolder } from '../parts/guard.ts';
import type { KafkaPart } from '../parts/kafka.ts';
import type { Service } from '../parts/service.ts';
import { sharedKafka } from '../parts/shared.ts';
import { suiteWith } from '../parts/suite.ts';
import { startTlsProxy, type TlsProxy } from '../parts/tls-proxy.ts';
import { until } from '../parts/until.ts';
import { setUpIndexes } from './set-up.ts';
import {
  openSinkTopic,
  type SinkSettings,
  type SinkTopic,
  sinkSettings,
  someEvents,
  startSinkService,
} from './sink-topic.ts';

jest.setTimeout(300_000);
const ARRIVAL_MS = 120_000;
const SECRET = 'sesame-sesame';
/** The privileges in docs/elasticsearch.md. */
const ROLES = `
setup:
  cluster: [monitor, manage_index_templates]
  indices: [{ names: ["hot_item*"], privileges: [manage, view_index_metadata] }]
sink:
  indices: [{ names: ["hot_item*"], privileges: [create_doc, auto_configure] }]
reader:
  indices: [{ names: ["hot_item*"], privileges: [read, maintenance] }]
anyone:
  cluster: [monitor]
`;
const USERS = ['setup', 'sink', 'reader'].map((name) => `${name}:${SECRET}\n`).join('');
const USERS_ROLES = 'setup:setup\nsink:sink\nreader:reader\n';

const suite = FULL ? suiteWith(['kafka', 'elasticsearch'], { stops: true }) : describe.skip;

suite('Elasticsearch with security on, behind TLS of an authority of its own', () => {
  const folder = temporaryFolder('security');
  let kafka: KafkaPart;
  let elasticsearch: ElasticsearchPart;
  let proxy: TlsProxy;
  let settings: SinkSettings;
  let topic: SinkTopic;
  let sink: Service;
  let sent = 0;

  beforeAll(async () => {
    [kafka, elasticsearch] = await Promise.all([
      sharedKafka(),
      startElasticsearch({
        settings: { 'xpack.security.enabled': 'true', 'xpack.security.authc.anonymous.roles': 'anyone' },
        files: { 'roles.yml': ROLES, users: USERS, users_roles: USERS_ROLES },
      }),
    ]);
    proxy = await startTlsProxy(elasticsearch.node, folder.path);
    settings = {
      ...sinkSettings('security', { brokers: kafka.brokers, node: proxy.address }),
      HOTITEM_ELASTICSEARCH_CA_FILE: proxy.caFile,
      HOTITEM_ELASTICSEARCH_PASSWORD: SECRET,
    };
    await setUpIndexes({ ...settings, HOTITEM_ELASTICSEARCH_USERNAME: 'setup' });
    topic = await openSinkTopic(settings);
    sink = await startSinkService(
      { ...settings, HOTITEM_ELASTICSEARCH_USERNAME: 'sink' },
      join(folder.path, 'sink.log'),
    );
  });
  afterAll(async () => {
    await sink?.stop();
    await topic?.close();
    proxy?.close();
    await Promise.all([kafka?.close(), elasticsearch?.close()]);
    folder.remove();
  });

  test('a sink that can only create documents works', async () => {
    await send();
    await arrived();
  });

  test.each([
    ['loses its privileges', 'users_roles', 'reader:reader\n', USERS_ROLES],
    ['loses its login', 'users', `reader:${SECRET}\n`, USERS],
  ])(
    'a sink that %s commits nothing, loses nothing, says why, and resumes afterwards',
    async (_, file, without, withIt) => {
      elasticsearch.configure?.(file, without);
      await until(async () => (await ask('sink')) !== 200, {
        timeoutMs: 60_000,
        everyMs: 250,
        what: 'the loss',
      });
      const before = (await topic.offsets()).map(({ committed }) => committed);
      const retries = await sink.metric('hotitem_sink_retries_total');
      await send();
      await until(async () => (await sink.metric('hotitem_sink_retries_total')) > retries + 2, {
        timeoutMs: 60_000,
        what: 'attempts',
        detail: () => sink.log(),
      });
      expect((await topic.offsets()).map(({ committed }) => committed)).toEqual(before);
      elasticsearch.configure?.(file, withIt);
      await arrived();
      expect(await topic.deadLetters()).toEqual([]);
      expect(sink.log()).toMatch(/the index rejects everything until that is fixed/);
      expect(sink.log()).not.toContain(SECRET);
    },
  );

  async function send(): Promise<void> {
    sent += 500;
    await topic.append(someEvents(500, `s${sent}`));
  }

  async function arrived(): Promise<void> {
    const all = async () =>
      (await count()) === sent && (await topic.offsets()).every(({ end, committed }) => committed === end);
    await until(all, {
      timeoutMs: ARRIVAL_MS,
      everyMs: 250,
      what: `${sent} documents`,
      detail: () => sink.log(),
    });
  }

  async function count(): Promise<number> {
    const stream = `${elasticsearch.node}/${settings.HOTITEM_ELASTICSEARCH_DATA_STREAM}`;
    const headers = { authorization: as('reader') };
    await fetch(`${stream}/_refresh`, { method: 'POST', headers });
    const reply = await fetch(`${stream}/_count`, { headers });
    return reply.ok ? ((await reply.json()) as { count: number }).count : 0;
  }

  /** Whether the user may create: an empty request that creates nothing. */
  async function ask(user: string): Promise<number> {
    const reply = await fetch(`${elasticsearch.node}/_security/user/_has_privileges`, {
      method: 'POST',
      headers: { authorization: as(user), 'content-type': 'application/json' },
      body: JSON.stringify({ index: [{ names: ['hot_item_security'], privileges: ['create_doc'] }] }),
    });
    if (!reply.ok) return reply.status;
    return ((await reply.json()) as { has_all_requested: boolean }).has_all_requested ? 200 : 403;
  }

  function as(user: string): string {
    return `Basic ${Buffer.from(`${user}:${SECRET}`).toString('base64')}`;
  }
});
