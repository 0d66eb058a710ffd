import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { verdictOf } from '../../page/health/verdict.ts';
import type { HealthAnswer } from '../../sidecar/routes/answers.ts';
import type { ElasticsearchPart } from '../parts/elasticsearch.ts';
import { FULL } from '../parts/full.ts';
import { temporaryFolder } from '../parts/guard.ts';
import type { KafkaPart } from '../parts/kafka.ts';
import { freePort } from '../parts/ports.ts';
import { type Service, startService } from '../parts/service.ts';
import { sharedElasticsearch, sharedKafka } from '../parts/shared.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { lineOf, postLines } from './post-lines.ts';
import { runHotitem } from './run-hotitem.ts';
import { sinkSettings } from './sink-topic.ts';

jest.setTimeout(300_000);
const EVERY_MS = 1_000;
// Views count after a minute.
const suite = FULL ? suiteWith(['kafka', 'elasticsearch']) : describe.skip;

suite('Health of a sidecar without a sink', () => {
  let kafka: KafkaPart;
  let elasticsearch: ElasticsearchPart;
  let services: Service[] = [];
  const { path: home, remove } = temporaryFolder('no-sink');

  beforeAll(async () => {
    [kafka, elasticsearch] = await Promise.all([sharedKafka(), sharedElasticsearch()]);
    const { code, stderr } = await runHotitem(['setup'], { ...settings(), HOTITEM_HOME: home });
    if (code !== 0) throw new Error(`hotitem setup: ${stderr}`);
  });
  afterAll(async () => {
    await Promise.all(services.map((one) => one.stop()));
    remove();
    await Promise.all([kafka?.close(), elasticsearch?.close()]);
  });

  test('says that the index has no view while no sink runs, and that all is well once one does', async () => {
    const sidecar = await start('sidecar');
    await see(sidecar, 'The index has no view yet, and Kafka has newer ones');
    await start('sink');
    await see(sidecar, 'what is captured is in the index within seconds');
    expect((await health(sidecar)).kafka?.after).toBeUndefined();
  });

  /** Posts a view a second until the verdict has these words. */
  async function see(sidecar: Service, words: string): Promise<void> {
    const said = async () => verdictOf(await health(sidecar)).words;
    const isSaid = async () => {
      await postLines(join(home, 'sidecar/run/intake.sock'), [lineOf({ item: '1' })]);
      return (await said()).includes(words);
    };
    await until(isSaid, { timeoutMs: 120_000, everyMs: EVERY_MS, what: words, detail: said });
  }

  function health(sidecar: Service): Promise<HealthAnswer> {
    return sidecar.json<HealthAnswer>('/api/v1/health');
  }

  function settings(): Record<string, string> {
    return sinkSettings('no_sink', { brokers: kafka.brokers, node: elasticsearch.node });
  }

  async function start(command: 'sidecar' | 'sink'): Promise<Service> {
    const admin = `127.0.0.1:${await freePort()}`;
    const env = {
      ...settings(),
      HOTITEM_HOME: join(home, command),
      [command === 'sink' ? 'HOTITEM_ADMIN_SINK_LISTEN' : 'HOTITEM_ADMIN_LISTEN']: admin,
    };
    const service = await startService({
      args: [command],
      env,
      admin,
      logFile: join(home, `${command}.log`),
    });
    services = [...services, service];
    return service;
  }
});
