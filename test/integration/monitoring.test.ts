import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { obtainNginx } from '../../provision/nginx.ts';
import type { ElasticsearchPart } from '../parts/elasticsearch.ts';
import { FULL } from '../parts/full.ts';
import { temporaryFolder } from '../parts/guard.ts';
import type { KafkaPart } from '../parts/kafka.ts';
import { views } from '../parts/load.ts';
import { freePorts } from '../parts/ports.ts';
import { type PrometheusPart, startPrometheus } from '../parts/prometheus.ts';
import { promtool } from '../parts/promtool.ts';
import { report } from '../parts/report.ts';
import { type Service, startService } from '../parts/service.ts';
import { sharedElasticsearch, sharedKafka } from '../parts/shared.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { obtainPrometheus, type Prometheus } from '../provision/prometheus.ts';
import { alertRules } from './alert-rules.ts';
import { type Chain, startChain } from './chain.ts';
import { dashboardQueries, documented, exportedIn, namesIn } from './exported-metrics.ts';
import { lineOf, postLines } from './post-lines.ts';
import { runHotitem } from './run-hotitem.ts';
import { setUpIndexes } from './set-up.ts';
import { sinkSettings } from './sink-topic.ts';

jest.setTimeout(300_000);

const RULES = join(import.meta.dirname, '../../prometheus');

suiteWith(['prometheus'])('what Prometheus is given', () => {
  const folder = temporaryFolder('monitoring');
  let tools: Prometheus;

  beforeAll(async () => {
    tools = await obtainPrometheus({ report });
  });
  afterAll(folder.remove);

  test.each([
    ['the alert rules', ['check', 'rules', '--lint-fatal', join(RULES, 'hotitem-alerts.yml')]],
    ['the example of its configuration', ['check', 'config', join(RULES, 'prometheus.example.yml')]],
    ['the unit tests of the alerts', ['test', 'rules', join(RULES, 'hotitem-alerts.test.yml')]],
  ])('promtool accepts %s', (_, args) => {
    const { code, text } = promtool(tools, args);
    expect(text).toContain('SUCCESS');
    expect(code).toBe(0);
  });

  describe('by a sidecar without Kafka, and by a sidecar and a sink whose Kafka is unreachable', () => {
    let services: Service[] = [];
    let texts: string[] = [];
    let prometheus: PrometheusPart | undefined;

    beforeAll(async () => {
      services = await startAll(folder.path);
      const [sidecar] = services;
      const socket = (name: string) => join(folder.path, name, 'run/intake.sock');
      // One of them twice, and one that is no event.
      const lines = Array.from({ length: 20 }, () => lineOf());
      await postLines(socket('sidecar'), [...lines, lines[0] ?? '', 'none']);
      await postLines(socket('forwarding'), lines);
      prometheus = await startPrometheus(
        tools,
        folder.path,
        services.map(({ admin }, i) => ({ job: `hotitem-${i}`, address: admin })),
      );
      await until(async () => (await sidecar?.metric('hotitem_sink_indexed_total')) === 20, {
        timeoutMs: 60_000,
        what: 'the views to be indexed',
      });
      // Some appear with the first failed attempt.
      const missing = async () => {
        texts = await Promise.all(services.map((service) => service.text('/metrics')));
        const found = new Set(texts.flatMap((text) => [...exportedIn(text).keys()]));
        return [...documented().keys()].filter((name) => !found.has(name));
      };
      await until(async () => (await missing()).length === 0, {
        timeoutMs: 60_000,
        what: 'each metric',
        detail: async () => `missing: ${await missing()}`,
      });
    });
    afterAll(async () => {
      await Promise.all([prometheus?.stop(), ...services.map((service) => service.stop())]);
    });

    test('promtool accepts the metrics of each', () => {
      for (const text of texts)
        expect(promtool(tools, ['check', 'metrics'], text)).toEqual({ code: 0, text: '' });
    });

    test('is all that docs/metrics.md lists, and nothing else', () => {
      const known = documented();
      const found = texts.map(exportedIn);
      for (const exported of found) {
        for (const [name, { kind, help, labels }] of exported) {
          expect([name, kind, help]).toEqual([name, known.get(name)?.kind, known.get(name)?.help]);
          expect([...labels].filter((label) => !known.get(name)?.labels.has(label))).toEqual([]);
        }
      }
      expect(new Set(found.flatMap((one) => [...one.keys()]))).toEqual(new Set(known.keys()));
    });

    test.each(dashboardQueries().map((expr) => [expr]))('answers %s', async (expr) => {
      await expectAnswer(expr);
    });

    test.each(alertRules().map(({ alert, expr }) => [alert, expr]))(
      'lets the rule %s be evaluated',
      async (_, expr) => {
        await expect(prometheus?.query(expr)).resolves.toEqual(expect.any(Array));
      },
    );

    test('lets the alerts see that Kafka is unreachable, and that all else is well', async () => {
      const firing = async () => {
        const states = await Promise.all(
          alertRules().map(
            async ({ alert, expr }) => ((await prometheus?.query(expr)) ?? []).length > 0 && alert,
          ),
        );
        return states.filter((alert) => alert !== false);
      };
      // A rate needs two scrapes, and a busy service may miss one.
      const expected = JSON.stringify(['HotitemNotReady', 'HotitemNothingForwarded']);
      await until(async () => JSON.stringify(await firing()) === expected, {
        timeoutMs: 60_000,
        what: `these alerts alone: ${expected}`,
        detail: async () => JSON.stringify(await firing()),
      });
    });

    /** Where there are series, a query must find them. */
    async function expectAnswer(expr: string): Promise<void> {
      const isAsExpected = async () => {
        const answer = await prometheus?.query(expr);
        const series = await Promise.all(namesIn(expr).map((name) => prometheus?.query(name)));
        const isThere = series.every((one) => one !== undefined && one.length > 0);
        return (answer?.length !== 0) === isThere;
      };
      // A series may appear between the two questions, and a rate needs two scrapes.
      await until(isAsExpected, { timeoutMs: 60_000, what: `an answer to ${expr}` });
    }
  });
});

const whenFull = FULL ? suiteWith : () => describe.skip;

whenFull(['prometheus', 'nginx', 'kafka', 'elasticsearch'])('what Prometheus gets of a whole chain', () => {
  const folder = temporaryFolder('monitoring-chain');
  let kafka: KafkaPart | undefined;
  let elasticsearch: ElasticsearchPart | undefined;
  let chain: Chain | undefined;
  let prometheus: PrometheusPart | undefined;

  beforeAll(async () => {
    [kafka, elasticsearch] = await Promise.all([sharedKafka(), sharedElasticsearch()]);
    const env = {
      ...sinkSettings('monitoring', { brokers: kafka.brokers, node: elasticsearch.node }),
      HOTITEM_PROTECT_HOSTS: 'shop.example',
    };
    await setUpIndexes(env);
    const build = await obtainNginx({ suite: 'trixie', report });
    chain = await startChain({ build, env, withSink: true, transport: 'batch' });
    const { sidecar, sink, port } = chain;
    const targets = [sidecar, sink].flatMap((service, i) =>
      service === undefined ? [] : [{ job: `hotitem-${i}`, address: service.admin }],
    );
    prometheus = await startPrometheus(await obtainPrometheus({ report }), folder.path, targets);
    // A decision, however slowly the views come.
    const pinned = await runHotitem(['hot', 'pin', '4711', '--reason', 'a test'], {
      HOTITEM_HOME: chain.home,
    });
    expect(pinned).toMatchObject({ code: 0 });
    await views({ port, paths: Array.from({ length: 500 }, () => '/web/item/4711.html'), connections: 20 });
    await chain.settle(500);
    // Scrapes of what has arrived, two of the decision, and of the distance of the group, which is asked for every 15 s.
    await until(
      async () => {
        const [waiting] = (await prometheus?.query('hotitem_sink_waiting')) ?? [];
        const [indexed] = (await prometheus?.query('hotitem_sink_indexed_total')) ?? [];
        const decided = (await prometheus?.query('increase(hotitem_heat_decisions_total[5m])')) ?? [];
        return waiting?.value === 0 && indexed?.value === 500 && decided.length > 0;
      },
      { timeoutMs: 60_000, what: 'Prometheus to have seen it', detail: chain.logs },
    );
  }, 300_000);
  afterAll(async () => {
    await prometheus?.stop();
    await chain?.close();
    await Promise.all([kafka?.close(), elasticsearch?.close()]);
    folder.remove();
  });

  test('answers every query of the dashboard but those about faults, and about pages', async () => {
    const answers = await Promise.all(
      dashboardQueries().map(async (expr) => ({ expr, found: (await prometheus?.query(expr))?.length ?? 0 })),
    );
    const silent = answers.filter(({ found }) => found === 0).flatMap(({ expr }) => namesIn(expr));
    expect(new Set(silent)).toEqual(
      new Set([
        'hotitem_intake_bad_lines_total',
        'hotitem_forward_retries_total',
        'hotitem_sink_retries_total',
        'hotitem_sink_dropped_total',
        'hotitem_protect_requests_total',
        'hotitem_protect_shoppers_total',
        'hotitem_protect_limit_total',
        'hotitem_protect_ends_total',
      ]),
    );
  });

  test('fires one alert: this nginx does not include the listener of the keeper', async () => {
    for (const { alert, expr } of alertRules()) {
      const found = (await prometheus?.query(expr)) ?? [];
      expect([alert, found.length]).toEqual([alert, alert === 'HotitemKeeperFailing' ? 1 : 0]);
    }
  });
});

async function startAll(folder: string): Promise<Service[]> {
  const [own, sidecar, sink] = await freePorts(3);
  const nowhere = { KAFKA_BROKERS: '127.0.0.1:1', ELASTICSEARCH_NODE: 'http://127.0.0.1:1' };
  const start = (name: string, port: number | undefined, args: string[], env: Record<string, string>) => {
    const admin = `127.0.0.1:${port}`;
    const listen = { HOTITEM_ADMIN_LISTEN: admin, HOTITEM_ADMIN_SINK_LISTEN: admin };
    return startService({
      args,
      env: { HOTITEM_HOME: join(folder, name), ...listen, ...env },
      admin,
      logFile: join(folder, `${name}.log`),
      waitFor: '/livez',
    });
  };
  return Promise.all([
    start('sidecar', own, ['sidecar'], {
      HOTITEM_PROTECT_HOSTS: 'shop.example',
      HOTITEM_CATALOGUE_FILE: join(import.meta.dirname, '../../nginx/examples/catalogue.csv'),
    }),
    start('forwarding', sidecar, ['sidecar'], nowhere),
    start('sink', sink, ['sink'], nowhere),
  ]);
}
