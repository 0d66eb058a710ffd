import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type ElasticsearchPart, startElasticsearch } from '../parts/elasticsearch.ts';
import { FULL } from '../parts/full.ts';
import { temporaryFolder } from '../parts/guard.ts';
import type { KafkaPart } from '../parts/kafka.ts';
import type { Service } from '../parts/service.ts';
import { sharedKafka } from '../parts/shared.ts';
import { suiteWith } from '../parts/suite.ts';
import { startTlsProxy, type TlsProxy } from '../parts/tls-proxy.ts';
import { until } from '../parts/until.ts';
import { ADMINISTRATOR, WITH_KEYS } from './elasticsearch-keys.ts';
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
const DOCS = readFileSync(join(import.meta.dirname, '../../docs/elasticsearch.md'), 'utf8');
const REFUSED_MS = 60_000;

type KeyRequest = { name: string; expiration: string };
type Key = { id: string; encoded: string };

const suite = FULL ? suiteWith(['kafka', 'elasticsearch'], { stops: true }) : describe.skip;

suite('a sink with an API key made as docs/elasticsearch.md says', () => {
  const folder = temporaryFolder('api-keys');
  const keyFile = join(folder.path, 'sink.key');
  let kafka: KafkaPart;
  let elasticsearch: ElasticsearchPart;
  let proxy: TlsProxy;
  let settings: SinkSettings;
  let topic: SinkTopic;
  let sink: Service | undefined;
  let sent = 0;
  let sinks = 0;

  beforeAll(async () => {
    [kafka, elasticsearch] = await Promise.all([sharedKafka(), startElasticsearch(WITH_KEYS)]);
    proxy = await startTlsProxy(elasticsearch.node, folder.path);
    settings = {
      ...sinkSettings('api-keys', { brokers: kafka.brokers, node: proxy.address }),
      HOTITEM_ELASTICSEARCH_DATA_STREAM: 'hot_item',
      HOTITEM_ELASTICSEARCH_CA_FILE: proxy.caFile,
      HOTITEM_ELASTICSEARCH_API_KEY_FILE: keyFile,
    };
    useKey(await makeKey('hotitem-setup'));
    await setUpIndexes(settings);
    topic = await openSinkTopic(settings);
  });
  afterEach(async () => {
    await sink?.stop();
    sink = undefined;
  });
  afterAll(async () => {
    await topic?.close();
    proxy?.close();
    await Promise.all([kafka?.close(), elasticsearch?.close()]);
    folder.remove();
  });

  test('indexes, and can neither read, change nor delete', async () => {
    const key = await makeKey('hotitem-sink');
    useKey(key);
    await startSink();
    await send();
    await arrived();

    const { hits } = (await (await ask('hot_item/_search', { body: { size: 1 } })).json()) as {
      hits: { hits: { _index: string; _id: string }[] };
    };
    const { _index = '', _id = '' } = hits.hits[0] ?? {};
    const authorization = `ApiKey ${key.encoded}`;
    const status = async (path: string, options: object) =>
      (await ask(path, { authorization, ...options })).status;
    expect(await status('_security/_authenticate', {})).toBe(200);
    expect(await status('hot_item/_search', {})).toBe(403);
    expect(await status(`${_index}/_doc/${_id}`, {})).toBe(403);
    expect(await status(`${_index}/_doc/${_id}`, { method: 'DELETE' })).toBe(403);
    expect(await status(`${_index}/_update/${_id}`, { body: { doc: { item: 'forged' } } })).toBe(403);
    expect(await status('_index_template/hot_item', { method: 'DELETE' })).toBe(403);
  });

  test.each<[string, Partial<KeyRequest>, (key: Key) => Promise<unknown>]>([
    ['expires', { expiration: '30s' }, async () => {}],
    ['is revoked', {}, ({ id }) => ask('_security/api_key', { method: 'DELETE', body: { ids: [id] } })],
  ])('whose key %s loses nothing, says why, and resumes with a new key', async (_, request, end) => {
    const key = await makeKey('hotitem-sink', request);
    useKey(key);
    const refused = await startSink();
    await send();
    await arrived();
    await end(key);
    await until(async () => (await authenticates(key)) === 401, {
      timeoutMs: REFUSED_MS,
      everyMs: 250,
      what: 'the end of the key',
    });

    const before = await committed();
    await send();
    await until(async () => (await refused.metric('hotitem_sink_retries_total')) > 2, {
      timeoutMs: REFUSED_MS,
      what: 'attempts',
      detail: () => refused.log(),
    });
    expect(await committed()).toEqual(before);
    expect(await refused.metric('hotitem_sink_index_up')).toBe(0);
    expect(refused.log()).toMatch(/Elasticsearch rejects the login \(401\)/);
    expect(refused.log()).not.toContain(key.encoded);
    await refused.stop();

    useKey(await makeKey('hotitem-sink'));
    await startSink();
    await arrived();
    expect(await topic.deadLetters()).toEqual([]);
  });

  async function startSink(): Promise<Service> {
    sink = await startSinkService(settings, join(folder.path, `sink-${sinks++}.log`));
    return sink;
  }

  /** By the request in the page that makes a key of this name, its answer's `encoded` as the page says. */
  async function makeKey(name: string, changed: Partial<KeyRequest> = {}): Promise<Key> {
    const requests = [...DOCS.matchAll(/^POST \/_security\/api_key\n(\{\n[\s\S]+?\n\})$/gm)];
    const request = requests
      .map(([, json = '']): KeyRequest => JSON.parse(json))
      .find((made) => made.name === name);
    const reply = await ask('_security/api_key', { method: 'POST', body: { ...request, ...changed } });
    expect(reply.status).toBe(200);
    return (await reply.json()) as Key;
  }

  function useKey({ encoded }: Key): void {
    writeFileSync(keyFile, `${encoded}\n`, { mode: 0o600 });
  }

  async function authenticates({ encoded }: Key): Promise<number> {
    return (await ask('_security/_authenticate', { authorization: `ApiKey ${encoded}` })).status;
  }

  async function ask(
    path: string,
    {
      method,
      body,
      authorization = ADMINISTRATOR,
    }: { method?: string; body?: object; authorization?: string } = {},
  ): Promise<Response> {
    return fetch(`${elasticsearch.node}/${path}`, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: { authorization, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
  }

  async function committed(): Promise<number[]> {
    return (await topic.offsets()).map((offset) => offset.committed);
  }

  async function send(): Promise<void> {
    sent += 500;
    await topic.append(someEvents(500, `k${sent}`));
  }

  async function arrived(): Promise<void> {
    const all = async () =>
      (await count()) === sent && (await topic.offsets()).every(({ end, committed }) => committed === end);
    await until(all, {
      timeoutMs: 120_000,
      everyMs: 250,
      what: `${sent} documents`,
      detail: () => sink?.log() ?? '',
    });
  }

  async function count(): Promise<number> {
    await ask('hot_item/_refresh', { method: 'POST' });
    const reply = await ask('hot_item/_count');
    return reply.ok ? ((await reply.json()) as { count: number }).count : 0;
  }
});
