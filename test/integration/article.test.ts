import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { obtainNginx } from '../../provision/nginx.ts';
import { createKafkajsClient } from '../../store/kafka/kafkajs/kafkajs.ts';
import { createKafkaLog } from '../../store/kafka/topic-log.ts';
import type { ElasticsearchPart } from '../parts/elasticsearch.ts';
import type { KafkaPart } from '../parts/kafka.ts';
import { type Sent, views } from '../parts/load.ts';
import { report } from '../parts/report.ts';
import { sharedElasticsearch, sharedKafka } from '../parts/shared.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { type Chain, startChain } from './chain.ts';
import { type Document, documentsOf } from './documents.ts';
import { setUpIndexes } from './set-up.ts';

jest.setTimeout(180_000);

suiteWith(['nginx', 'kafka', 'elasticsearch'])('what is wrong in the article, and is right here', () => {
  let kafka: KafkaPart;
  let elasticsearch: ElasticsearchPart;
  let chain: Chain;
  let settings: Record<string, string>;

  beforeAll(async () => {
    const build = await obtainNginx({ suite: 'trixie', report });
    [kafka, elasticsearch] = await Promise.all([sharedKafka(), sharedElasticsearch()]);
    settings = { KAFKA_BROKERS: kafka.brokers.join(','), ELASTICSEARCH_NODE: elasticsearch.node };
    await setUpIndexes(settings);
    chain = await startChain({ build, env: settings, withSink: true });
  });
  afterAll(async () => {
    await chain?.close();
    await Promise.all([kafka?.close(), elasticsearch?.close()]);
  });

  test('its Kafka client does not support Kafka 4: here the view arrives', async () => {
    const { query, document } = await viewed('kafka4');
    expect(document.url.query).toBe(query);
  });

  test('its dates have month and minute swapped: here the time is correct', async () => {
    const before = Date.now();
    const { document } = await viewed('time');
    expect(Date.parse(document['@timestamp'])).toBeGreaterThanOrEqual(before);
    expect(Date.parse(document['@timestamp'])).toBeLessThanOrEqual(Date.now());
    expect(document['@timestamp']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  test('it trusts headers about the client: here the address is the one that nginx sees', async () => {
    const forged = '198.51.100.66';
    const headers = {
      'X-Forwarded-For': forged,
      'X-Real-IP': forged,
      'X-Forwared-For': forged,
      'Client-IP': forged,
    };
    const { document } = await viewed('address', { headers });
    expect(document.client).toEqual({ address: '127.0.0.1', ip: '127.0.0.1' });
    expect(JSON.stringify(document)).not.toContain(forged);
  });

  test('it puts a token into every event: here is no token, cookie or credential', async () => {
    const headers = { Cookie: 'session=sesame', Authorization: 'Bearer sesame', 'X-Token': 'sesame' };
    const { document } = await viewed('token', { headers });
    expect(JSON.stringify(document)).not.toMatch(/token=|sesame/);
  });

  test('it removes every /web of a path: here only the one in front', async () => {
    const { document } = await viewed('path', { path: '/web/item/web/web.html' });
    expect(document.url.path).toBe('/web/item/web/web.html');
    expect(await chain.nginx.errorLog()).toContain('/pages/item/web/web.html" failed');
  });

  test('it loses the query string: here it is kept, second question mark and all', async () => {
    const { document } = await viewed('query', { more: '&from=mail&q=a?b%26c' });
    expect(document.url.query).toContain('&from=mail&q=a?b%26c');
  });

  test('its events have no id, so every retry is a duplicate: here the same event twice is one document', async () => {
    const { document } = await viewed('twice');
    const client = createKafkajsClient({ brokers: kafka.brokers, clientId: 'test', onWarning: () => {} });
    const topic = createKafkaLog({ client, topic: 'collection_hot_item', concurrency: 1, headers: {} });
    const { id } = document.event;
    // A sink that was away for too long got some again.
    const before = (await chain.accounts()).sink?.existing ?? 0;
    const time = Date.parse(document['@timestamp']);
    const event = { v: 1, id, time, uri: document.url.path, item: document.hot_item.id, ip: '127.0.0.1' };
    await topic.append({ source: 'test', values: [Buffer.from(JSON.stringify(event))], position: String });
    await client.close();
    await until(async () => ((await chain.accounts()).sink?.existing ?? 0) > before, {
      timeoutMs: 60_000,
      what: 'the duplicate',
    });
    expect(await found('twice')).toHaveLength(1);
  });

  test('with it, a person has to notice hot items: here the ranking shows them', async () => {
    const paths = Array.from({ length: 30 }, (_, i) => `/web/item/${i % 3 === 0 ? 8 : 77}.html?ranking`);
    await views({ port: chain.port, paths });
    const most = async () => {
      const { items } = await chain.sidecar.json<{ items: { item: string; views: number }[] }>(
        '/api/v1/items?window=5m',
      );
      return items[0]?.views === 20 ? items : undefined;
    };
    const items = await until(most, { timeoutMs: 60_000, what: 'the ranking' });
    expect(items.slice(0, 2)).toEqual([
      expect.objectContaining({ item: '77', views: 20 }),
      expect.objectContaining({ item: '8', views: 10 }),
    ]);
  });

  type View = { path?: string; more?: string; headers?: Record<string, string> };

  async function view(
    name: string,
    { path = '/web/item/7.html', more = '', headers = {} }: View = {},
  ): Promise<Sent> {
    const [sent] = await views({ port: chain.port, paths: [`${path}?v=${name}${more}`], headers });
    if (sent === undefined) throw new Error('nothing was sent');
    return sent;
  }

  /** Asks for a page, and returns its document. */
  async function viewed(name: string, options: View = {}): Promise<{ query: string; document: Document }> {
    await view(name, options);
    const [document] = await found(name);
    if (document === undefined) throw new Error('no document');
    return { query: `v=${name}${options.more ?? ''}`, document };
  }

  async function found(name: string): Promise<Document[]> {
    const detail = () => chain.logs();
    const of = async () => {
      const all = await documentsOf(elasticsearch.node, { dataStream: 'hot_item', count: 1, detail });
      const own = all.filter(({ url }) => url.query?.startsWith(`v=${name}`));
      return own.length > 0 ? own : undefined;
    };
    return until(of, { timeoutMs: 60_000, everyMs: 100, what: `the view ${name}`, detail });
  }
});
