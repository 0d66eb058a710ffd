import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import type { ElasticsearchPart } from '../parts/elasticsearch.ts';
import { FULL } from '../parts/full.ts';
import { temporaryFolder } from '../parts/guard.ts';
import type { KafkaPart } from '../parts/kafka.ts';
import { askOnce, type Service } from '../parts/service.ts';
import { sharedElasticsearch, sharedKafka } from '../parts/shared.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { setUpIndexes } from './set-up.ts';
import {
  countDocuments,
  makeTopics,
  openSinkTopic,
  type SinkSettings,
  type SinkTopic,
  sinkSettings,
  someEvents,
  startSinkService,
} from './sink-topic.ts';

jest.setTimeout(300_000);
const ARRIVAL_MS = 120_000;
/** More than one request. */
const EVENTS = FULL ? 5_000 : 2_000;

suiteWith(['kafka', 'elasticsearch'], { stops: true })('a sink that meets what it cannot index', () => {
  const folder = temporaryFolder('sink-faults');
  let kafka: KafkaPart;
  let elasticsearch: ElasticsearchPart;
  let settings: SinkSettings;
  let topic: SinkTopic;
  let sink: Service | undefined;

  beforeAll(async () => {
    [kafka, elasticsearch] = await Promise.all([sharedKafka(), sharedElasticsearch()]);
  });
  afterEach(async () => {
    await sink?.stop();
    await topic?.close();
  });
  afterAll(async () => {
    await Promise.all([kafka?.close(), elasticsearch?.close()]);
    folder.remove();
  });

  test.each(FULL ? ['kafkajs', 'platformatic'] : ['kafkajs'])(
    'keeps each record that is not an event as a dead letter, with reason and position, and continues: %s',
    async (client) => {
      const name = `poison-${client}`;
      await begin(name, { env: { HOTITEM_KAFKA_CLIENT: client } });
      const [good] = someEvents(1);
      const event = (fields: object) => Buffer.from(JSON.stringify({ ...good, ...fields }));
      const records: [Buffer | null, string | undefined][] = [
        [event({ id: 'first' }), undefined],
        [Buffer.from('not json'), 'event: is not JSON'],
        [null, 'event: has no value'],
        [Buffer.from('[]'), 'event: must be a JSON object'],
        [event({ v: 2 }), 'v: unknown version'],
        [event({ id: 7 }), 'id: must be a non-empty string'],
        [event({ time: 'now' }), 'time: must be whole milliseconds'],
        [event({ ua: 'x'.repeat(300_000) }), 'event: larger than 262144 bytes'],
        [event({ id: 'y10k', time: 8.64e15 }), 'time: must be whole milliseconds'],
        [Buffer.from([0x7b, 0xff, 0xfe, 0x00]), 'event: is not JSON'],
        [event({ id: '\ud800', uri: '/\ud800', ua: '\u0000' }), undefined],
        [event({ id: 'last' }), undefined],
      ];
      await topic.appendRaw(records.map(([value]) => ({ value })));
      await allCommitted();
      const dead = records.flatMap(([, reason], offset) =>
        reason === undefined ? [] : [{ reason, offset }],
      );
      const letters = await topic.deadLetters();
      expect(letters.map(({ headers }) => headers.origin).sort()).toEqual(
        dead.map(({ offset }) => `events-${name}/0/${offset}`).sort(),
      );
      for (const { reason, offset } of dead) {
        const letter = letters.find(({ headers }) => headers.origin === `events-${name}/0/${offset}`);
        expect(letter?.headers.reason).toContain(reason);
      }
      expect(await countDocuments(settings)).toBe(records.length - dead.length);
      expect(await books()).toMatchObject({ consumed: 12, indexed: 3, existing: 0, dead: 9 });
    },
  );

  test('keeps an event that the mapping rejects as a dead letter, and only that', async () => {
    settings = named('conflict');
    await ask('PUT', `_index_template/${settings.HOTITEM_ELASTICSEARCH_DATA_STREAM}`, {
      index_patterns: [settings.HOTITEM_ELASTICSEARCH_DATA_STREAM],
      data_stream: {},
      priority: 900,
      template: { mappings: { properties: { hot_item: { properties: { id: { type: 'long' } } } } } },
    });
    await begin('conflict', { prepared: true });
    const [good] = someEvents(1);
    await topic.append([
      { ...(good as NonNullable<typeof good>), id: 'number', item: '4711' },
      { ...(good as NonNullable<typeof good>), id: 'word', item: 'lamp' },
    ]);
    await allCommitted();
    expect(await countDocuments(settings)).toBe(1);
    const [letter] = await topic.deadLetters();
    expect(letter?.headers.reason).toMatch(/^document_parsing_exception: .*hot_item\.id/);
  });

  test('waits for an index with a foreign strict mapping: no dead letter, not ready, one line in the log', async () => {
    settings = named('strict');
    const stream = settings.HOTITEM_ELASTICSEARCH_DATA_STREAM ?? '';
    await ask('PUT', '_index_template/theirs-strict', {
      index_patterns: [`${stream}*`],
      data_stream: {},
      priority: 900,
      template: { mappings: { dynamic: 'strict', properties: { '@timestamp': { type: 'date' } } } },
    });
    await begin('strict', { prepared: true });
    await topic.append(someEvents(EVENTS, 's'));
    const refusals = async () => ((await sink?.metric('hotitem_sink_retries_total')) ?? 0) > 2;
    await until(refusals, { timeoutMs: ARRIVAL_MS, what: 'refusals', detail: () => sink?.log() ?? '' });

    await becomes(/^503 .*sink: the index rejects everything: .*dynamic introduction of/s);
    expect(await sink?.metric('hotitem_sink_index_up')).toBe(0);
    expect(sink?.log().match(/the index rejects everything until/g)).toHaveLength(1);
    expect(await books()).toMatchObject({ consumed: 0, dead: 0 });
    await expect(setUpIndexes(settings)).rejects.toThrow(
      /theirs-strict \(priority 900, for hot_item_strict\*\) overrides that of hotitem \(priority 500\) for hot_item_strict/,
    );

    await setUpIndexes({ ...settings, HOTITEM_ELASTICSEARCH_TEMPLATE_PRIORITY: '901' });
    await allCommitted();
    expect(await countDocuments(settings)).toBe(EVENTS);
    expect(await topic.deadLetters()).toEqual([]);
    await becomes(/^200 /);
  });

  test("reads a topic in the article's format, mixed with ours, and stores its token nowhere", async () => {
    await begin('article', {
      env: { HOTITEM_SINK_ARTICLE_TIME_ZONE: 'Asia/Shanghai', HOTITEM_PRIVACY_IP: 'truncate' },
    });
    const [ours] = someEvents(1);
    // Within the retention of the topic.
    const recorded = Date.now() - 60_000;
    const message = {
      uri: '/web/item/4711.html',
      ip: '203.0.113.77',
      token: 'sesame',
      actime: '2026-05-22 19:11:42',
    };
    const article = (fields: object) => Buffer.from(JSON.stringify({ ...message, ...fields }));
    await topic.appendRaw([
      { value: article({}), timestamp: String(recorded) },
      { value: Buffer.from(JSON.stringify(ours)) },
      { value: article({ uri: '/web/item/4712.html' }), timestamp: '-1' },
      { value: article({ uri: 7 }) },
      { value: article({ actime: 'yesterday' }), timestamp: '-1' },
    ]);
    await allCommitted();
    await countDocuments(settings);
    const stream = `${settings.ELASTICSEARCH_NODE}/${settings.HOTITEM_ELASTICSEARCH_DATA_STREAM}`;
    const reply = await fetch(`${stream}/_search?sort=event.id`);
    const { hits } = (await reply.json()) as { hits: { hits: { _id: string; _source: object }[] } };
    expect(hits.hits.map(({ _id }) => _id)).toEqual([
      'e-0',
      `events-article-0-0-${recorded}`,
      // Without a time of its record: the digits of its own.
      'events-article-0-2-20260522191142',
    ]);
    expect(hits.hits.slice(1).map(({ _source }) => _source)).toMatchObject([
      {
        '@timestamp': new Date(recorded).toISOString(),
        hot_item: { id: '4711' },
        client: { ip: '203.0.113.0' },
      },
      // 19:05:42 in Shanghai, on the 22nd of November.
      { '@timestamp': '2026-11-22T11:05:42.000Z', hot_item: { id: '4712' }, client: { ip: '203.0.113.0' } },
    ]);
    const letters = await topic.deadLetters();
    expect(letters.map(({ headers }) => headers.reason).sort()).toEqual([
      expect.stringMatching(/^actime: must be a date and a time \(\d+ bytes, not kept for privacy\)$/),
      expect.stringMatching(/^uri: must be a path \(\d+ bytes, not kept for privacy\)$/),
    ]);
    expect(JSON.stringify([hits, letters, sink?.log()])).not.toContain('sesame');
  });

  async function begin(
    name: string,
    { prepared = false, env = {} }: { prepared?: boolean; env?: Record<string, string> } = {},
  ): Promise<void> {
    settings = { ...named(name), ...env };
    const { ELASTICSEARCH_NODE: _, ...kafkaOnly } = settings;
    await makeTopics(prepared ? kafkaOnly : settings);
    topic = await openSinkTopic(settings);
    sink = await startSinkService(settings, join(folder.path, `${name}.log`));
  }

  function named(name: string): SinkSettings {
    return sinkSettings(name, { brokers: kafka.brokers, node: elasticsearch.node });
  }

  async function allCommitted(): Promise<void> {
    await until(async () => (await topic.offsets()).every(({ end, committed }) => committed === end), {
      timeoutMs: ARRIVAL_MS,
      what: 'everything to be dealt with',
      detail: () => sink?.log() ?? '',
    });
  }

  async function books(): Promise<unknown> {
    const accounts = await sink?.json<{ sink: unknown }>('/api/v1/accounting');
    return accounts?.sink;
  }

  async function becomes(expected: RegExp): Promise<void> {
    let last = '';
    const isSo = async () => {
      last = await readiness();
      return expected.test(last);
    };
    const detail = () => `${last}\n${sink?.log()}`;
    await until(isSo, { timeoutMs: ARRIVAL_MS, what: `readiness to be ${expected}`, detail });
  }

  async function readiness(): Promise<string> {
    const reply = await askOnce(`http://${sink?.admin}/readyz?verbose`);
    return `${reply.status} ${await reply.text()}`;
  }

  async function ask(method: string, path: string, body?: object): Promise<void> {
    const reply = await fetch(`${elasticsearch.node}/${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!reply.ok) throw new Error(await reply.text());
  }
});
