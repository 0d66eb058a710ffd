import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { type NginxBuild, obtainNginx } from '../../provision/nginx.ts';
import type { ElasticsearchPart } from '../parts/elasticsearch.ts';
import type { KafkaPart } from '../parts/kafka.ts';
import { BROWSER, views } from '../parts/load.ts';
import { freePorts } from '../parts/ports.ts';
import { report } from '../parts/report.ts';
import { startService } from '../parts/service.ts';
import { sharedElasticsearch, sharedKafka } from '../parts/shared.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { line } from '../unit/event/lines.ts';
import { type Chain, startChain } from './chain.ts';
import { type Document, documentsOf, viewsIn, viewsOf } from './documents.ts';
import { postLines } from './post-lines.ts';
import { runHotitem } from './run-hotitem.ts';
import { setUpIndexes } from './set-up.ts';
import { sinkSettings } from './sink-topic.ts';
import { expectedViews, TOTAL } from './views.ts';

jest.setTimeout(300_000);
/** One of each kind that a request has. */
const KINDS = 5;

suiteWith(['nginx', 'kafka', 'elasticsearch'])('nginx → sidecar → Kafka → sink → Elasticsearch', () => {
  let build: NginxBuild;
  let kafka: KafkaPart;
  let elasticsearch: ElasticsearchPart;
  let chain: Chain | undefined;
  let stream = 0;
  let dataStream = '';

  beforeAll(async () => {
    build = await obtainNginx({ suite: 'trixie', report });
    [kafka, elasticsearch] = await Promise.all([sharedKafka(), sharedElasticsearch()]);
  });
  afterEach(() => chain?.close());
  afterAll(() => Promise.all([kafka?.close(), elasticsearch?.close()]));

  test(`${TOTAL} views of 300 items, 50 of them unusual: each is in Elasticsearch once, with its request, the kind of the request and the visitor; setup can be repeated`, async () => {
    const { port } = await start();
    await kindsOf(port);
    const expected = expectedViews();
    const began = Date.now();
    const sent = await views({ port, paths: expected.map(({ path }) => path), connections: 20 });
    const ended = Date.now();
    expect(sent.filter(({ status, error }) => error !== undefined || status >= 500)).toEqual([]);
    const accounts = await chain?.settle(KINDS + expected.length);
    expect(accounts?.sidecar).toMatchObject({
      accepted: KINDS + expected.length,
      bad: 0,
      waiting: 0,
      unaccounted: 0,
    });
    expect(accounts?.sink).toMatchObject({ indexed: KINDS + expected.length, dead: 0 });
    const documents = (await indexed(KINDS + expected.length)).filter(({ url }) => url.query !== undefined);
    expect(viewsIn(documents)).toEqual(viewsOf(expected));
    for (const document of documents) {
      const time = Date.parse(document['@timestamp']);
      expect(time).toBeGreaterThanOrEqual(began);
      expect(time).toBeLessThanOrEqual(ended);
    }
    expect(await setUpIndexes(settings())).toMatch(/^(unchanged\s+.*\n)+$/);
  });

  test('setup names each setting that it changes, in a dry run, too, and shortens no retention without --yes', async () => {
    stream++;
    await setUpIndexes({ ...settings(), HOTITEM_KAFKA_RETENTION_HOURS: '720' });
    const shorter = { ...settings(), HOTITEM_KAFKA_RETENTION_HOURS: '168' };
    const change = (verb: string) =>
      new RegExp(
        `${verb} +topic events-distributed-${stream}\n +retention.ms: 2592000000 → 604800000\n +.*older than 7 days`,
        'm',
      );
    expect(await setUpIndexes(shorter, ['--dry-run'])).toMatch(change('would update'));
    const refused = await setUpIndexes(shorter).catch(String);
    expect(refused).toMatch(change('kept'));
    expect(refused).toContain('nothing was changed; --yes allows it');
    expect(await setUpIndexes(shorter, ['--yes'])).toMatch(change('updated'));
  });

  test('status names the missing topic, then the missing sink, and exits 0 when events arrive, as a test view does', async () => {
    stream++;
    chain = await startChain({ build, env: settings() });
    await says(
      new RegExp(
        `^.*; does NOT deliver: Kafka has no topic events-distributed-${stream};.*\n(.*\n)*.*hotitem setup`,
      ),
    );
    await setUpIndexes(settings());
    await says(
      new RegExp(
        `^.*; does NOT deliver: no sink is in the group sink-distributed-${stream};.*\n(.*\n)*.*\\[no-sink\\]`,
      ),
    );
    const [port] = await freePorts(1);
    const admin = `127.0.0.1:${port}`;
    const env = { ...settings(), HOTITEM_HOME: chain.home, HOTITEM_ADMIN_SINK_LISTEN: admin };
    const sink = await startService({ args: ['sink'], env, admin, logFile: join(chain.home, 'sink.log') });
    try {
      const delivers = async () => {
        const { code, stdout } = await status({ HOTITEM_ADMIN_SINK_LISTEN: admin });
        return (
          code === 0 &&
          /; delivers; nothing lost behind nginx, which does not report\n/.test(stdout) &&
          stdout
        );
      };
      const said = await until(delivers, { timeoutMs: 60_000, what: 'a good verdict', detail: chain.logs });
      expect(said).toMatch(
        new RegExp(`^sinks +1 in the group sink-distributed-${stream}: .*; 0 events not read yet$`, 'm'),
      );
      expect(said).toMatch(
        new RegExp(`^index +Elasticsearch .*, data stream hot_item_distributed-${stream}: answers$`, 'm'),
      );
      // Whatever nginx this machine has of its own.
      const page = `http://127.0.0.1:${chain.port}/web/item/hotitem-doctor`;
      const indexed = new RegExp(
        `^test view {2}asked for .*, ingested, in data stream hot_item_distributed-${stream} after [0-9.]+ s$`,
        'm',
      );
      let doctor = '';
      const follows = async () => {
        doctor = (await status({ HOTITEM_ADMIN_SINK_LISTEN: admin }, ['doctor', '--url', page])).stdout;
        return indexed.test(doctor);
      };
      // Another one where a busy machine takes longer than a doctor waits.
      await until(follows, { timeoutMs: 120_000, what: 'a test view in the index', detail: () => doctor });
      expect(doctor).not.toContain('[clock]');
    } finally {
      await sink.stop();
    }

    /** Exits 1 with these words: not at once, where what it asks is busy. */
    async function says(words: RegExp): Promise<void> {
      let last: Awaited<ReturnType<typeof status>> | undefined;
      const isSaid = async () => {
        last = await status();
        return last.code === 1 && words.test(last.stdout);
      };
      await until(isSaid, { timeoutMs: 60_000, what: String(words), detail: () => JSON.stringify(last) });
    }

    function status(more: Record<string, string> = {}, args = ['status']) {
      const admin = chain?.sidecar.admin ?? '';
      return runHotitem(args, {
        ...settings(),
        HOTITEM_HOME: chain?.home ?? '',
        HOTITEM_ADMIN_LISTEN: admin,
        ...more,
      });
    }
  });

  /** Views of each kind: `KINDS` of them. */
  async function kindsOf(port: number): Promise<void> {
    const shop = `http://127.0.0.1:${port}/web/item`;
    const headers = { 'User-Agent': BROWSER };
    await fetch(`${shop}/1.html`, { headers });
    await fetch(`${shop}/2.html`, { headers: { ...headers, 'Sec-Purpose': 'prefetch' } });
    await fetch(`${shop}/3.html`, { headers, method: 'HEAD' });
    await fetch(`${shop}/4.html`, { headers: { 'User-Agent': 'Googlebot/2.1' } });
    await postLines(join(chain?.home ?? '', 'run/intake.sock'), [
      line({ item: '5', visitor: 'key-of-a-session', ua: BROWSER }),
    ]);
    await chain?.settle(KINDS);
    const documents = await indexed(KINDS);
    const found = documents.map(({ hot_item }) => hot_item).toSorted((a, b) => a.id.localeCompare(b.id));
    const visitor = expect.stringMatching(/^127\.0\.0\.1 \w+$/);
    const known = { weight: 1, visitor, visitor_number: expect.any(Number) };
    expect(found).toEqual([
      { ...known, id: '1' },
      { ...known, id: '2', kind: 'prefetch' },
      { ...known, id: '3', kind: 'head' },
      { ...known, id: '4', bot: true },
      { ...known, id: '5', visitor: expect.stringMatching(/^[0-9a-f]{16}$/) },
    ]);
    expect(new Set(found.map((item) => item.visitor)).size).toBe(3);
    expect(JSON.stringify(documents)).not.toContain('key-of-a-session');
  }

  /** A chain with a topic and a data stream of its own. */
  async function start(): Promise<Chain> {
    stream++;
    dataStream = `hot_item_distributed-${stream}`;
    await setUpIndexes(settings(), ['--yes']);
    chain = await startChain({ build, env: settings(), withSink: true });
    return chain;
  }

  function settings(): Record<string, string> {
    return sinkSettings(`distributed-${stream}`, { brokers: kafka.brokers, node: elasticsearch.node });
  }

  async function indexed(count: number): Promise<Document[]> {
    return documentsOf(elasticsearch.node, { dataStream, count, detail: () => chain?.logs() ?? '' });
  }
});
