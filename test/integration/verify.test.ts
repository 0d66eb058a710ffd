import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import type { HotItemEvent } from '../../event/event.ts';
import type { Replayed } from '../../reconcile/replay.ts';
import type { Verified } from '../../reconcile/verify.ts';
import type { KafkaClient } from '../../store/kafka/client.ts';
import { createKafkajsClient } from '../../store/kafka/kafkajs/kafkajs.ts';
import { documentOf } from '../parts/ecs-document.ts';
import type { ElasticsearchPart } from '../parts/elasticsearch.ts';
import { FULL } from '../parts/full.ts';
import { temporaryFolder } from '../parts/guard.ts';
import type { KafkaPart } from '../parts/kafka.ts';
import { createTopics, isCommitted } from '../parts/kafka-admin.ts';
import { freePort } from '../parts/ports.ts';
import type { Service } from '../parts/service.ts';
import { sharedElasticsearch, sharedKafka } from '../parts/shared.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { view } from './index-contract.ts';
import { openPastTopic, type PastMessage, type PastTopic } from './past-topic.ts';
import { askHotitem, runHotitem } from './run-hotitem.ts';
import {
  countDocuments,
  makeTopics,
  type SinkSettings,
  sinkSettings,
  startSinkService,
} from './sink-topic.ts';

jest.setTimeout(300_000);
const COUNT = 60;
const inFull = FULL ? test : test.skip;

suiteWith(['kafka', 'elasticsearch'])('hotitem verify, between Kafka and Elasticsearch', () => {
  let kafka: KafkaPart;
  let elasticsearch: ElasticsearchPart;
  let client: KafkaClient;
  let run = 0;
  let settings: SinkSettings;
  let topic: PastTopic;
  let sink: Service | undefined;
  const folder = temporaryFolder('verify');

  beforeAll(async () => {
    [kafka, elasticsearch] = await Promise.all([sharedKafka(), sharedElasticsearch()]);
    client = createKafkajsClient({ brokers: kafka.brokers, clientId: 'test', onWarning: () => {} });
  });
  afterAll(async () => {
    await client?.close();
    await Promise.all([kafka?.close(), elasticsearch?.close()]);
    folder.remove();
  });
  beforeEach(async () => {
    const name = `verify-${Date.now().toString(36)}-${run++}`;
    settings = {
      ...sinkSettings(name, { brokers: kafka.brokers, node: elasticsearch.node }),
      HOTITEM_HOME: folder.path,
    };
    await makeTopics(settings);
    topic = await openPastTopic(settings);
  });
  afterEach(async () => {
    await sink?.stop();
    sink = undefined;
    await topic?.close();
  });

  test('balances if each event is in the index once; a duplicate in Kafka changes nothing; what the sink has not reached is not missing; what is indexed again after a rollover is a duplicate', async () => {
    const events = someViews();
    const [twice] = events;
    const ofTheArticle = JSON.stringify({ uri: '/web/item/1.html', ip: '', token: 't', actime: '' });
    await topic.write([
      ...numbered(events.slice(0, 30)),
      { value: twice ?? '', seq: 0 },
      { value: ofTheArticle },
    ]);
    await index(32);
    expect(await verify()).toMatchObject({
      status: 0,
      answer: {
        balanced: true,
        expected: 31,
        repeated: 1,
        there: 31,
        missing: 0,
        duplicate: 0,
        gaps: [],
      },
    });

    await sink?.stop();
    await topic.write(numbered(events).slice(30));
    expect(await verify()).toMatchObject({
      status: 0,
      answer: { expected: COUNT + 1, there: 31, waiting: 30, missing: 0, gaps: [] },
    });
    // So does a report, whose numbers are those of the index.
    const args = ['report', '--from', '2020-01-01', '--to', '2040-01-01', '--rules-seconds', '0'];
    const { stdout } = await runHotitem([...args, '--format', 'json'], settings);
    expect(JSON.parse(stdout)).toMatchObject({
      totals: { all: 31 },
      accounting: { inKafka: { events: 30 } },
    });

    await ask('POST', 'STREAM/_rollover');
    if (twice !== undefined) await ask('POST', `STREAM/_create/${twice.id}?refresh=true`, documentOf(twice));
    expect(await verify()).toMatchObject({
      status: 1,
      answer: { there: 31, missing: 0, duplicate: 1, examples: { duplicate: [{ id: twice?.id }] } },
    });
  });

  test('names missing, duplicate, dead and unsent events, also behind a record with a timestamp in 2030; a replay indexes the missing ones', async () => {
    await takeAnyTime();
    const events = someViews();
    const future = Date.UTC(2030, 0, 1);
    const [copied, lost, deleted] = [events[7], events[11], events[31]];
    const records = numbered(events).filter(({ seq }) => seq !== 11);
    await topic.write([
      ...records.map((record, i) => (i < 6 ? { ...record, time: future } : record)),
      { value: 'no event', seq: COUNT },
    ]);
    await index(COUNT);
    await remove(deleted?.id ?? '');
    if (copied !== undefined) await ask('POST', 'STREAM/_create/another-id?refresh=true', documentOf(copied));

    const { status, answer } = await verify(['--from', '-1h']);
    expect(status).toBe(1);
    expect(answer).toMatchObject({
      balanced: false,
      expected: COUNT,
      there: COUNT - 2,
      dead: 1,
      waiting: 0,
      missing: 1,
      duplicate: 1,
      gaps: [{ node: 'web-1', boot: 'b1', first: 11, last: 11 }],
    });
    expect(answer.examples.missing).toEqual([
      { id: deleted?.id, origin: expect.stringMatching(/\/\d\/\d+$/) },
    ]);
    expect(answer.examples.duplicate).toMatchObject([{ id: copied?.id }]);
    expect(answer.examples.dead).toEqual([
      { id: answer.examples.dead[0]?.origin, origin: expect.any(String) },
    ]);
    expect(JSON.stringify(answer)).not.toContain(lost?.id ?? '');

    const replayed = await askHotitem<Replayed>(['replay', '--from', '-1h'], settings);
    expect(replayed).toMatchObject({
      status: 1,
      answer: { read: COUNT, created: 1, existing: COUNT - 2, dead: 1 },
    });
    const { stdout } = await runHotitem(['verify', '--from', '-1d'], settings);
    expect(stdout).toContain(`web-1, spool b1: 11 to 11`);
    expect(stdout).toMatch(new RegExp(`there +${COUNT - 1}\n +dead letters +1\n`));
    expect(stdout).toMatch(/missing +0\n +duplicate +1\n/);
    expect(stdout).toMatch(/NOT BALANCED\n$/);
  });

  test('counts only views of the range, by the time of the view; those that a group without commits has waiting give no result', async () => {
    const now = Date.now();
    const events = [
      view({ time: now - 3_600_000 }),
      view({ time: now - 60_000 }),
      view({ time: now - 30_000 }),
    ];
    await topic.write(numbered(events));
    const middle = new Date(now - 90_000).toISOString();
    const end = new Date(now - 45_000).toISOString();
    const { status, answer } = await verify(['--from', middle, '--to', end]);
    expect(status).toBe(2);
    expect(answer).toMatchObject({ balanced: null, records: 1, waiting: 1, missing: 0 });
    expect(answer.doubts).toEqual([expect.stringContaining(`group ${settings.HOTITEM_KAFKA_GROUP}`)]);
  });

  test("a topic that was created again: its messages in the article's format are other events, with the same offsets", async () => {
    await topic.write(articleViews('before'));
    await index(6);
    await sink?.stop();
    await makeAgain();
    await topic.write(articleViews('after'));
    await index(6);
    expect((await verify()).answer).toMatchObject({ expected: 6, there: 6, dead: 0, missing: 0 });
    expect(await countDocuments(settings)).toBe(12);
  });

  inFull('a dead letter of a deleted topic does not account for a record of the new one', async () => {
    await topic.write([{ value: 'no event', partition: 0 }]);
    await index(1);
    await sink?.stop();
    await makeAgain();
    const [lost] = someViews();
    if (lost === undefined) throw new Error('no view');
    await topic.write([{ value: lost, partition: 0 }]);
    await index(1);
    await remove(lost.id);
    expect(await verify()).toMatchObject({ status: 1, answer: { dead: 0, missing: 1 } });
  });

  inFull('records without a time are read, whatever the range', async () => {
    const actime = new Date(Date.now() - 60_000).toISOString();
    // Month and minute are where the article puts them.
    const [, year, month, day, hour, minute, second] =
      /(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)/.exec(actime) ?? [];
    const swapped = `${year}-${minute}-${day} ${hour}:${month}:${second}`;
    const value = JSON.stringify({ uri: '/web/item/1.html', ip: '', token: 't', actime: swapped });
    await topic.write(Array.from({ length: 6 }, () => ({ value, time: -1 })));
    expect(await verify(['--from', '-1h'])).toMatchObject({ answer: { expected: 6 } });
    await index(6);
    expect(await verify(['--from', '-1h'])).toMatchObject({ status: 0, answer: { expected: 6, there: 6 } });
  });

  test('events that retention deleted before the sink read them are counted, with their place', async () => {
    const events = someViews();
    await topic.write(numbered(events.slice(0, 30)));
    await index(30);
    await sink?.stop();
    await topic.write(numbered(events).slice(30));
    await removeBefore({ 0: 8, 3: 10 });
    const name = settings.HOTITEM_KAFKA_TOPIC;
    const { status, answer } = await verify();
    expect(status).toBe(1);
    expect(answer).toMatchObject({
      balanced: false,
      removed: 8,
      removedUnread: [
        { source: `${name}/0`, first: '5', last: '7' },
        { source: `${name}/3`, first: '5', last: '9' },
      ],
    });
    // The partition is empty now: it is noticed with what comes next.
    await topic.write([{ value: view({ time: Date.now() - 60_000 }), partition: 3 }]);
    await index(23);
    expect(await sink?.metric('hotitem_sink_removed_total')).toBe(8);
    const letters = async () => await topic.recordsOf(settings.HOTITEM_KAFKA_DEAD_LETTER_TOPIC ?? '');
    await until(async () => (await letters()).length === 2, { timeoutMs: 60_000, what: 'two letters' });
    // The group has moved on: the sink's own word is left.
    const { code, stdout } = await runHotitem(['verify', '--from', '-1h'], settings);
    expect(code).toBe(1);
    expect(stdout).toMatch(new RegExp(`removed unread +8 .*\n +${name}/0: 5 to 7\n +${name}/3: 5 to 9`));
    expect(stdout).toMatch(/ there +43\n(.*\n)* +waiting +0\n/);
  });

  test('a proxy that answers with a redirect, a page or nothing gives no result', async () => {
    await topic.write(numbered(someViews()));
    const elastic = { 'x-elastic-product': 'Elasticsearch' };
    const few: [number, Record<string, string>][] = [[200, elastic]];
    const others: [number, Record<string, string>][] = [
      [301, { location: 'https://login.example.com/' }],
      [302, { ...elastic, location: '/login' }],
      [200, { 'content-type': 'text/html' }],
      [200, { ...elastic, 'content-type': 'application/json' }],
      [204, elastic],
    ];
    const answers = FULL ? [...few, ...others] : few;
    const proxy = createServer({ keepAliveTimeout: 75_000 }, (asked, answer) => {
      const [status = 500, headers = {}] = answers[0] ?? [];
      const isJson = headers['content-type'] === 'application/json';
      asked.resume();
      answer
        .writeHead(status, headers)
        .end(status === 204 ? undefined : isJson ? '{}' : '<html>log in</html>');
    });
    const port = await freePort();
    await new Promise<void>((listening) => proxy.listen(port, '127.0.0.1', listening));
    const proxied = { ...settings, ELASTICSEARCH_NODE: `http://127.0.0.1:${port}` };
    const dryRun = ['replay', '--from', '-1d', '--dry-run'];
    expect(await runHotitem([...dryRun, '--json'], proxied)).toMatchObject({ code: 1, stdout: '' });
    for (; answers.length > 0; answers.shift()) {
      const { code, stdout } = await runHotitem(['verify', '--json'], proxied);
      expect([answers[0], code, stdout]).toEqual([answers[0], 2, '']);
    }
    proxy.close();
  });

  test('exits 2 if it has no result, and says why', async () => {
    const away = { ...settings, ELASTICSEARCH_NODE: 'http://127.0.0.1:1' };
    const ran = await runHotitem(['verify'], away);
    expect(ran).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^hotitem: Elasticsearch does not answer/),
    });
    const wrong = await runHotitem(['verify'], { ...settings, HOTITEM_SINK_REQUESTS: 'many' });
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('sink.requests') });
  });

  function verify(args: string[] = []) {
    return askHotitem<Verified & { balanced: boolean | null }>(['verify', ...args], settings);
  }

  /** Six messages in the article's format, one a partition. */
  function articleViews(name: string): PastMessage[] {
    return Array.from({ length: 6 }, (_, i) => ({
      value: JSON.stringify({ uri: `/web/item/${name}-${i}.html`, ip: '', token: 't', actime: '' }),
      partition: i,
    }));
  }

  /** Deletes the topic, and makes one of its name. */
  async function makeAgain(): Promise<void> {
    const name = settings.HOTITEM_KAFKA_TOPIC ?? '';
    await topic.admin.deleteTopics({ topics: [name] });
    const spec = { topic: name, partitions: 6, replicationFactor: 1, retentionMs: 86_400_000 };
    const isThere = async () => (await topic.admin.listTopics()).includes(name);
    await until(async () => !(await isThere()), { timeoutMs: 60_000, what: 'the topic to be deleted' });
    await client.setup([spec], { dryRun: false });
    await topic.close();
    topic = await openPastTopic(settings);
  }

  /**
   * A topic that accepts any time from producers, as brokers before 4.0 do. A new one: a broker applies a changed setting of a topic only
   * some time after the controller has answered.
   */
  async function takeAnyTime(): Promise<void> {
    const name = `${settings.HOTITEM_KAFKA_TOPIC}-any-time`;
    const configEntries = [{ name: 'message.timestamp.after.max.ms', value: '9223372036854775807' }];
    await createTopics(topic.admin, [{ topic: name, numPartitions: 6, configEntries }]);
    settings = { ...settings, HOTITEM_KAFKA_TOPIC: name };
    await topic.close();
    topic = await openPastTopic(settings);
  }

  /** What retention does. */
  async function removeBefore(offsets: Record<number, number>): Promise<void> {
    const name = settings.HOTITEM_KAFKA_TOPIC ?? '';
    // kafkajs looks up no leaders for the other.
    await topic.admin.fetchTopicOffsets(name);
    await topic.admin.deleteTopicRecords({
      topic: name,
      partitions: Object.entries(offsets).map(([partition, offset]) => ({
        partition: Number(partition),
        offset: String(offset),
      })),
    });
  }

  /** Lets a sink take all records, which are so many new ones. */
  async function index(count: number): Promise<void> {
    sink = await startSinkService(settings, join(folder.path, 'sink.log'));
    const service = sink;
    const { HOTITEM_KAFKA_TOPIC: name = '', HOTITEM_KAFKA_GROUP: group = '' } = settings;
    const isDone = async () =>
      (await service.metric('hotitem_sink_consumed_total')) >= count &&
      (await isCommitted(topic.admin, name, group));
    const what = `${count} records to be dealt with, and committed`;
    await until(isDone, { timeoutMs: 60_000, what, detail: service.log });
  }

  /** Deletes a document, in the backing index that has it. */
  async function remove(id: string): Promise<void> {
    await ask('POST', 'STREAM/_refresh');
    const found = await ask<Found>('POST', 'STREAM/_search', { query: { ids: { values: [id] } } });
    for (const { _index } of found.hits.hits) await ask('DELETE', `${_index}/_doc/${id}?refresh=true`);
  }

  async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const stream = settings.HOTITEM_ELASTICSEARCH_DATA_STREAM ?? '';
    const reply = await fetch(`${elasticsearch.node}/${path.replace('STREAM', stream)}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
    });
    if (!reply.ok) throw new Error(`${method} ${path}: ${await reply.text()}`);
    return (await reply.json()) as T;
  }
});

type Found = { hits: { hits: { _index: string }[] } };

function someViews(): HotItemEvent[] {
  const time = Date.now() - 6 * 60_000;
  return Array.from({ length: COUNT }, (_, i) => view({ time: time + i }));
}

function numbered(events: HotItemEvent[]): { value: HotItemEvent; seq: number }[] {
  return events.map((value, seq) => ({ value, seq }));
}
