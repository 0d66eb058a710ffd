import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { ElasticsearchPart } from '../parts/elasticsearch.ts';
import { FULL } from '../parts/full.ts';
import { type Gate, openGate } from '../parts/gate.ts';
import { temporaryFolder } from '../parts/guard.ts';
import type { KafkaPart } from '../parts/kafka.ts';
import type { Service } from '../parts/service.ts';
import { sharedElasticsearch, sharedKafka } from '../parts/shared.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
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
const EVENTS = FULL ? 500_000 : 9_000;
const ARRIVAL_MS = 120_000;

suiteWith(['kafka', 'elasticsearch'])('several sinks of one group', () => {
  const folder = temporaryFolder('sinks');
  const sinks: Service[] = [];
  let kafka: KafkaPart;
  let elasticsearch: ElasticsearchPart;
  /** What the sinks know of it. */
  let gate: Gate;
  let settings: SinkSettings;
  let topic: SinkTopic;

  beforeAll(async () => {
    [kafka, elasticsearch] = await Promise.all([sharedKafka(), sharedElasticsearch()]);
    gate = await openGate(elasticsearch.node);
    settings = sinkSettings('group', { brokers: kafka.brokers, node: gate.address });
    await makeTopics(settings);
    topic = await openSinkTopic(settings);
  });
  afterAll(async () => {
    await topic?.close();
    await Promise.all(sinks.map((sink) => sink.stop()));
    await gate?.shut();
    await Promise.all([kafka?.close(), elasticsearch?.close()]);
    folder.remove();
  });

  test('share six partitions; one joins and one is killed meanwhile: each event is indexed once', async () => {
    await Promise.all([addSink(), addSink()]);
    const events = someEvents(EVENTS);
    const third = Math.floor(EVENTS / 3);
    await topic.append(events.slice(0, third));
    await Promise.all([addSink(), topic.append(events.slice(third, 2 * third))]);
    await Promise.all([sinks[0]?.kill(), topic.append(events.slice(2 * third))]);
    await arrived(EVENTS);
    expect(await countDocuments(settings)).toBe(EVENTS);
    await until(async () => (await topic.offsets()).every(({ end, committed }) => committed === end), {
      timeoutMs: ARRIVAL_MS,
      what: 'everything to be committed',
      detail: logs,
    });
    expect(await topic.deadLetters()).toEqual([]);
  });

  test('do not commit events that are not in the index, and lose no member meanwhile', async () => {
    await until(async () => (await topic.members()).length === 2, {
      timeoutMs: ARRIVAL_MS,
      what: 'two members',
    });
    const before = await topic.offsets();
    const members = await topic.members();
    await block(true);
    const tried = await retries();
    await topic.append(someEvents(1_200, 'blocked'));
    await attempts(tried);
    const during = await topic.offsets();
    expect(during.map(({ committed }) => committed)).toEqual(before.map(({ committed }) => committed));
    await block(false);
    await arrived(EVENTS + 1_200);
    expect(await topic.members()).toEqual(members);
    expect(await topic.deadLetters()).toEqual([]);
  });

  test('release their partitions while Elasticsearch is unavailable, without delay', async () => {
    await gate.shut();
    const tried = await retries();
    await topic.append(someEvents(3_000, 'away'));
    await attempts(tried);
    await addSink();
    await until(async () => (await topic.members()).length === 3, {
      timeoutMs: ARRIVAL_MS,
      what: 'three members',
    });
    await gate.open();
    await arrived(EVENTS + 4_200);
    expect(await countDocuments(settings)).toBe(EVENTS + 4_200);
  });

  async function addSink(): Promise<void> {
    sinks.push(await startSinkService(settings, join(folder.path, `sink-${sinks.length}.log`)));
  }

  async function arrived(count: number): Promise<void> {
    const all = async () => (await countDocuments(settings)) >= count;
    const detail = async () => `${await countDocuments(settings)} of ${count}\n${logs()}`;
    await until(all, { timeoutMs: ARRIVAL_MS, everyMs: 250, what: `${count} documents`, detail });
  }

  /** Several more than `before`. */
  async function attempts(before: number): Promise<void> {
    const many = async () => (await retries()) > before + 4;
    await until(many, { timeoutMs: ARRIVAL_MS, what: 'attempts', detail: logs });
  }

  function retries(): Promise<number> {
    return sinks[1]?.metric('hotitem_sink_retries_total') ?? Promise.resolve(0);
  }

  /** Blocks writes as Elasticsearch does at the flood stage of the disk watermark. */
  async function block(on: boolean): Promise<void> {
    const path = `${settings.HOTITEM_ELASTICSEARCH_DATA_STREAM}/_settings`;
    const reply = await fetch(`${elasticsearch.node}/${path}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ 'index.blocks.read_only_allow_delete': on ? true : null }),
    });
    if (!reply.ok) throw new Error(await reply.text());
  }

  function logs(): string {
    return sinks.map((sink) => sink.log()).join('\n');
  }
});
