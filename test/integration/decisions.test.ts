import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Accounts } from '../../app/wire-sidecar.ts';
import { commandHot } from '../../cli/hot/ask-hot.ts';
import type { HotDecision } from '../../event/decision-fields.ts';
import type { HotCommand } from '../../heat/hot-command.ts';
import type { HotList } from '../../heat/hot-list.ts';
import { createKafkajsClient } from '../../store/kafka/kafkajs/kafkajs.ts';
import { createTopicReader } from '../../store/kafka/kafkajs/reader.ts';
import { keyNumber } from '../../store/kafka/key-partition.ts';
import type { ElasticsearchPart } from '../parts/elasticsearch.ts';
import { FULL } from '../parts/full.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { DECISION } from '../parts/hot-decision.ts';
import type { KafkaPart } from '../parts/kafka.ts';
import { createTopics, isCommitted, withAdmin } from '../parts/kafka-admin.ts';
import { recordsOf } from '../parts/kafka-records.ts';
import { freePort } from '../parts/ports.ts';
import { type Service, startService } from '../parts/service.ts';
import { sharedElasticsearch, sharedKafka } from '../parts/shared.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { lineOf, postLines } from './post-lines.ts';
import { runHotitem } from './run-hotitem.ts';
import { setUpIndexes } from './set-up.ts';
import { type SinkSettings, sinkSettings, startSinkService } from './sink-topic.ts';

jest.setTimeout(300_000);

const SOON_MS = 120_000;
const PARTITIONS = 3;
/** What is hot stays hot for as long as the tests may take on a busy machine: nothing is told but what they do. */
const RULES = 'rules:\n  - name: stays\n    busy:\n      dwell_seconds: 600\n';
/** A name that would end a line, a column, a key or a path. */
const HOSTILE = `"],x\\\t'; DROP TABLE decisions; -- / é 😀`;

type Node = { home: string; sidecar: Service; remove: () => void };

suiteWith(['kafka', 'elasticsearch'])('decisions, by Kafka into Elasticsearch', () => {
  let kafka: KafkaPart;
  let elasticsearch: ElasticsearchPart;
  let settings: SinkSettings;
  let topic = '';
  let sink: Service | undefined;
  let nodes: Node[] = [];
  const logs = temporaryFolder('decisions-sink');

  beforeAll(async () => {
    [kafka, elasticsearch] = await Promise.all([sharedKafka(), sharedElasticsearch()]);
    settings = sinkSettings('told', { ...kafka, node: elasticsearch.node });
    topic = `${settings.HOTITEM_KAFKA_TOPIC}.decisions`;
    await withAdmin(kafka, (admin) =>
      createTopics(admin, [
        { topic, numPartitions: PARTITIONS, configEntries: [{ name: 'cleanup.policy', value: 'compact' }] },
      ]),
    );
  });
  afterAll(async () => {
    await Promise.all([sink?.stop(), ...nodes.map(({ sidecar }) => sidecar.stop())]);
    await Promise.all([kafka?.close(), elasticsearch?.close()]);
    for (const { remove } of nodes) remove();
    logs.remove();
  });

  test('setup does not change an existing topic of decisions, and creates the data stream', async () => {
    const said = await setUpIndexes(settings);
    expect(said).toMatch(new RegExp(`unchanged +topic ${topic}\n`));
    expect(said).toMatch(/created +index template hot_item_told_decisions\n/);
  });

  test('each is in the topic under its key, in order, and in the index once, whatever is killed', async () => {
    nodes = await Promise.all([
      startNode('web-1', settings),
      // Both clients put a key into the same partition.
      startNode('web-2', { ...settings, HOTITEM_KAFKA_CLIENT: 'platformatic' }),
    ]);
    sink = await startSinkService(settings, join(logs.path, 'sink.log'));
    const items = ['4711', '4712', HOSTILE];
    await everywhere(async (node) => {
      for (const item of items) await pin(node, item, 'first');
      await viewed(node, 'busy-one');
    });
    await delivered(8);
    if (FULL) await sink.kill();
    await everywhere(async (node) => {
      await say(node, { do: 'clear', item: '4711', reason: 'over', by: 'tester' });
      if (FULL || node === nodes[0]) {
        await node.sidecar.kill();
        await node.sidecar.start();
      }
      await say(node, { do: 'ban', item: '4712', reason: 'a test page', by: 'tester' });
      await pin(node, HOSTILE, 'second');
    });
    if (FULL) await sink.start();
    const all = async () => {
      const now = await lastOf();
      return isAll(now) ? now : undefined;
    };
    const last = await until(all, {
      timeoutMs: SOON_MS,
      everyMs: 250,
      what: 'the last decisions',
      detail: async () => `${JSON.stringify([...(await lastOf())], null, 1)}\n${allLogs()}`,
    });
    for (const node of ['web-1', 'web-2']) {
      expect(last.get(keyOf(node, '4711'))).toMatchObject({ state: 'cold', change: 'leaves', signals: [] });
      expect(last.get(keyOf(node, '4712'))).toMatchObject({
        state: 'cold',
        decided_by: 'tester',
        override: 'ban',
        override_by: 'tester',
        override_reason: 'a test page',
      });
      expect(last.get(keyOf(node, HOSTILE))).toMatchObject({
        item: HOSTILE,
        state: 'hot',
        signal: 'pin',
        actions: ['announce', 'cache'],
        reason: 'second',
      });
      expect(last.get(keyOf(node, 'busy-one'))).toMatchObject({
        state: 'hot',
        signals: expect.arrayContaining(['busy']),
      });
    }
  });

  test('those of one item of a node are in one partition, in order', async () => {
    const records = await recordsOf(kafka.brokers, topic);
    const versions = new Map<string, number>();
    const lasts = new Map<string, number>();
    const seen = new Set<string>();
    for (const { key, partition, value } of records) {
      const { node, item, version, id } = decisionIn(value);
      expect(key).toBe(keyOf(node, item));
      expect(partition).toBe(keyNumber(Buffer.from(key)) % PARTITIONS);
      lasts.set(key, version);
      // What was sent before a kill -9 and not known to be is sent again, with all behind it.
      if (seen.has(id)) continue;
      seen.add(id);
      expect(version).toBeGreaterThanOrEqual(versions.get(key) ?? 0);
      versions.set(key, version);
    }
    expect(lasts).toEqual(versions);
    expect(new Set(records.map(({ partition }) => partition)).size).toBeGreaterThan(1);
  });

  test('records of the topic are in their own index, once each, and never among the events', async () => {
    // What stays hot after a start may be told, and indexed, as late as now.
    const both = async () => {
      const records = await recordsOf(kafka.brokers, topic);
      const ids = [...new Set(records.map(({ value }) => decisionIn(value).id))].sort();
      const documents = await documentsIn('hot_item_told_decisions');
      return { ids, documents };
    };
    const { ids, documents: found } = await until(
      async () => {
        const now = await both();
        return now.documents.length === now.ids.length ? now : undefined;
      },
      {
        timeoutMs: SOON_MS,
        what: 'all decisions in the index, each once',
        detail: async () => `${JSON.stringify(await both())}\n${allLogs()}`,
      },
    );
    expect(found.map(({ event }) => event.id).sort()).toEqual(ids);
    expect(found).toContainEqual(
      expect.objectContaining({
        host: { name: 'web-1' },
        event: expect.objectContaining({ action: 'enters', dataset: 'hotitem.decision', reason: 'first' }),
        hot_item: expect.objectContaining({ id: HOSTILE, state: 'hot', signals: ['pin'] }),
      }),
    );
    expect(found).toContainEqual(
      expect.objectContaining({
        event: expect.objectContaining({ action: 'enters' }),
        rule: { name: 'stays' },
        hot_item: expect.objectContaining({
          id: 'busy-one',
          signal: 'busy',
          window_seconds: 10,
          views_per_second: expect.any(Number),
          visitors: expect.any(Number),
        }),
      }),
    );
    const events = await documentsIn('hot_item_told');
    expect(new Set(events.map(({ event }) => event.dataset))).toEqual(new Set(['hotitem.view']));
    const values = (await recordsOf(kafka.brokers, settings.HOTITEM_KAFKA_TOPIC ?? '')).map(
      ({ value }) => value,
    );
    expect(values.filter((value) => value.includes('"signal"'))).toEqual([]);
  });

  test('the accounting of decisions balances, in sidecars and in the sink', async () => {
    for (const { sidecar } of nodes) {
      const { decisions } = await until(
        async () => {
          const accounts = await sidecar.json<Accounts>('/api/v1/accounting');
          return accounts.decisions?.waiting === 0 ? accounts : undefined;
        },
        { timeoutMs: SOON_MS, what: 'the outbox to be empty', detail: allLogs },
      );
      expect(decisions).toMatchObject({ unaccounted: 0, dropped: 0, dead: 0, lost: 0 });
      expect(decisions?.delivered).toBeGreaterThan(0);
    }
    const group = `${settings.HOTITEM_KAFKA_GROUP}-decisions`;
    await until(() => withAdmin(kafka, (admin) => isCommitted(admin, topic, group)), {
      timeoutMs: SOON_MS,
      what: 'all decisions to be committed',
      detail: allLogs,
    });
    const { decisionSink } = (await sink?.json<Accounts>('/api/v1/accounting')) ?? {};
    expect(decisionSink).toMatchObject({ unaccounted: 0, dead: 0, dropped: 0 });
    expect(await sink?.metric('hotitem_decisions_sink_consumed_total')).toBe(decisionSink?.consumed);
  });

  test('a record of the topic that is not a decision becomes a dead letter with a reason', async () => {
    const client = createKafkajsClient({ brokers: kafka.brokers, clientId: 'test', onWarning: () => {} });
    await client.send(topic, [
      { key: Buffer.from('x'), value: Buffer.from('{"v":1,"id":"a","time":"now"}') },
    ]);
    // A tombstone is none: whoever clears a key may send one.
    await client.send(topic, [{ key: Buffer.from('x'), value: Buffer.alloc(0) }]);
    const letters = await until(
      async () => {
        const found = await recordsOf(kafka.brokers, settings.HOTITEM_KAFKA_DEAD_LETTER_TOPIC ?? '');
        return found.length > 0 ? found : undefined;
      },
      { timeoutMs: SOON_MS, what: 'the dead letter', detail: allLogs },
    );
    await client.close();
    expect(letters.map(({ headers }) => headers)).toEqual([
      expect.objectContaining({
        reason: expect.stringMatching(/^time: must be whole milliseconds/),
        origin: expect.stringMatching(new RegExp(`^${topic}/\\d/\\d+$`)),
      }),
    ]);
    const { stdout } = await runHotitem(['dead-letters', 'replay'], settings);
    expect(stdout).toMatch(/refused +1\n.* time: must be whole milliseconds/);
    const asked = { ...settings, HOTITEM_ADMIN_LISTEN: nodes[0]?.sidecar.admin ?? '' };
    expect((await runHotitem(['status'], asked)).stdout).toContain(`${topic} has ${PARTITIONS} partition(s)`);
  });

  // As of tulios/kafkajs#562 and #1072. The log cleaner takes its time.
  (FULL ? test : test.skip).each(['kafkajs', 'platformatic'])(
    'what was compacted away stops no sink: %s',
    async (client) => {
      const name = `compacted-${client}`;
      const own: SinkSettings = {
        ...sinkSettings(name, { ...kafka, node: elasticsearch.node }),
        HOTITEM_KAFKA_CLIENT: client,
      };
      const ownTopic = `${own.HOTITEM_KAFKA_TOPIC}.decisions`;
      const settingsOfTopic = {
        'cleanup.policy': 'compact',
        'segment.ms': '500',
        'min.cleanable.dirty.ratio': '0.001',
        'min.compaction.lag.ms': '0',
      };
      const configEntries = Object.entries(settingsOfTopic).map(([key, value]) => ({ name: key, value }));
      await withAdmin(kafka, (admin) =>
        createTopics(admin, [{ topic: ownTopic, numPartitions: 1, configEntries }]),
      );
      await setUpIndexes(own);
      const producer = createKafkajsClient({ brokers: kafka.brokers, clientId: 'test', onWarning: () => {} });
      const reader = createTopicReader({
        connection: { brokers: kafka.brokers, clientId: 'test', onWarning: () => {} },
        groupPrefix: name,
      });
      let sent = 0;
      const left = await until(
        async () => {
          const ids = Array.from({ length: 20 }, () => `${name}-${sent++}`);
          await producer.send(
            ownTopic,
            ids.map((id, i) => ({ key: Buffer.from(String(i % 3)), value: Buffer.from(decisionOf(id)) })),
          );
          const found: string[] = [];
          await reader.read(ownTopic, await reader.bounds(ownTopic), async (records) => {
            for (const { value } of records) found.push(decisionIn(String(value)).id);
          });
          return found.length < sent - 20 ? found : undefined;
        },
        { timeoutMs: 2 * SOON_MS, everyMs: 600, what: 'the log cleaner' },
      );
      await Promise.all([producer.close(), reader.close()]);
      const ofClient = await startSinkService(own, join(logs.path, `${name}.log`));
      await until(
        async () => {
          const { decisionSink } = await ofClient.json<Accounts>('/api/v1/accounting');
          const [group] = await withAdmin(kafka, (admin) =>
            admin.fetchOffsets({ groupId: `${own.HOTITEM_KAFKA_GROUP}-decisions`, topics: [ownTopic] }),
          );
          const isAtEnd = Number(group?.partitions[0]?.offset) === sent;
          return isAtEnd && (decisionSink?.consumed ?? 0) >= 1;
        },
        { timeoutMs: SOON_MS, what: 'the end of the topic', detail: ofClient.log },
      );
      await ofClient.stop();
      const ids = (await documentsIn(`${own.HOTITEM_ELASTICSEARCH_DATA_STREAM}_decisions`)).map(
        ({ event }) => event.id,
      );
      // The cleaner may have gone on between the two.
      expect(left).toEqual(expect.arrayContaining(ids));
      expect(ids).toContain(left.at(-1));
    },
  );

  async function everywhere(work: (node: Node) => Promise<void>): Promise<void> {
    await Promise.all(nodes.map(work));
  }

  async function delivered(count: number): Promise<void> {
    const written = async () => {
      const ends = await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(topic));
      return ends.reduce((sum, { high }) => sum + Number(high), 0);
    };
    await until(async () => (await written()) >= count, {
      timeoutMs: SOON_MS,
      what: `${count} decisions in the topic`,
      detail: allLogs,
    });
  }

  async function lastOf(): Promise<Map<string, HotDecision>> {
    const records = await recordsOf(kafka.brokers, topic);
    return new Map(records.map(({ key, value }) => [key, decisionIn(value)]));
  }

  function isAll(last: Map<string, HotDecision>): boolean {
    return ['web-1', 'web-2'].every(
      (node) =>
        last.get(keyOf(node, '4711'))?.state === 'cold' &&
        last.get(keyOf(node, '4712'))?.state === 'cold' &&
        last.get(keyOf(node, HOSTILE))?.reason === 'second' &&
        last.has(keyOf(node, 'busy-one')),
    );
  }

  async function documentsIn(stream: string): Promise<Document[]> {
    await fetch(`${elasticsearch.node}/${stream}/_refresh`, { method: 'POST' });
    const reply = await fetch(`${elasticsearch.node}/${stream}/_search?size=1000`);
    const { hits } = (await reply.json()) as { hits?: { hits: { _source: Document }[] } };
    return hits?.hits.map(({ _source }) => _source) ?? [];
  }

  function allLogs(): string {
    return [...nodes.map(({ sidecar }) => sidecar.log()), sink?.log()].join('\n');
  }
});

describe('decisions without Kafka', () => {
  let node: Node | undefined;
  afterEach(async () => {
    await node?.sidecar.stop();
    node?.remove();
  });

  test('each is in DuckDB once, over a kill -9 of the sidecar', async () => {
    node = await startNode('web-1', {});
    const { sidecar, home } = node;
    await pin(node, HOSTILE, 'campaign');
    await viewed(node, 'busy-one');
    await sidecar.kill();
    await sidecar.start();
    await say(node, { do: 'clear', item: HOSTILE, reason: 'over', by: 'tester' });
    const accounts = await until(
      async () => {
        const { decisions, decisionSink } = await sidecar.json<Accounts>('/api/v1/accounting');
        // What stays hot is told at the start, and the pin that is gone.
        return decisions?.waiting === 0 && decisions.told >= 3 ? { decisions, decisionSink } : undefined;
      },
      { timeoutMs: SOON_MS, what: 'the decisions to be indexed', detail: sidecar.log },
    );
    expect(accounts).toMatchObject({
      decisions: { unaccounted: 0, dropped: 0 },
      decisionSink: { unaccounted: 0, dead: 0 },
    });
    await sidecar.stop();
    const rows = await rowsOf(join(home, 'duckdb/hotitem.duckdb'));
    expect(new Set(rows.map(({ id }) => String(id))).size).toBe(rows.length);
    const ofPin = rows.filter(({ item }) => item === HOSTILE);
    expect(ofPin.map(({ change, state }) => [change, state])).toEqual([
      ['enters', 'hot'],
      ['stays', 'hot'],
      ['leaves', 'cold'],
    ]);
    expect(ofPin[0]).toMatchObject({
      node: 'web-1',
      signal: 'pin',
      reason: 'campaign',
      decided_by: 'tester',
    });
    expect(rows).toContainEqual(
      expect.objectContaining({ item: 'busy-one', signal: 'busy', change: 'enters', window_seconds: 10 }),
    );
  });
});

type Document = {
  event: { id: string; action: string; dataset: string; reason: string };
  host: { name: string };
  hot_item: { id: string; state: string };
};

async function startNode(name: string, settings: SinkSettings): Promise<Node> {
  const { path: home, remove } = temporaryFolder(`decisions-${name}`);
  const listen = `127.0.0.1:${await freePort()}`;
  const rules = join(home, 'rules.yml');
  writeFileSync(rules, RULES);
  const own = {
    HOTITEM_HOME: home,
    HOTITEM_NODE: name,
    HOTITEM_ADMIN_LISTEN: listen,
    HOTITEM_HEAT_RULES: rules,
  };
  const sidecar = await startService({
    args: ['sidecar'],
    env: { ...settings, ...own },
    admin: listen,
    logFile: join(home, 'sidecar.log'),
  });
  return { home, sidecar, remove };
}

function pin(node: Node, item: string, reason: string): Promise<void> {
  return say(node, { do: 'pin', item, reason, by: 'tester' });
}

/** On the owner's socket. */
async function say({ home }: Node, command: HotCommand): Promise<void> {
  await commandHot(join(home, 'run/control.sock'), command);
}

/** Makes an item busy, and waits until that has been told, and what was decided before. */
async function viewed({ home, sidecar }: Node, item: string): Promise<void> {
  const lines = Array.from({ length: 1_000 }, () => lineOf({ item }));
  await postLines(join(home, 'run/intake.sock'), lines);
  await until(
    async () =>
      (await sidecar.json<HotList>('/api/v1/hot')).hot.some((one) => one.item === item) &&
      (await sidecar.metric('hotitem_decisions_pending')) === 0,
    { timeoutMs: SOON_MS, what: `${item} to be told`, detail: sidecar.log },
  );
}

function keyOf(node: string, item: string): string {
  return JSON.stringify([node, item]);
}

function decisionIn(value: string): HotDecision {
  return JSON.parse(value) as HotDecision;
}

function decisionOf(id: string): string {
  return JSON.stringify({ ...DECISION, id, time: Date.now() });
}

async function rowsOf(path: string): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(path, { access_mode: 'READ_ONLY' });
  const connection = await instance.connect();
  try {
    const found = await connection.runAndReadAll('SELECT * FROM decisions ORDER BY time, version');
    return found.getRowObjectsJS();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
