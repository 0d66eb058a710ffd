import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { type NginxBuild, obtainNginx } from '../../provision/nginx.ts';
import { type ElasticsearchPart, startElasticsearch } from '../parts/elasticsearch.ts';
import { FULL, firstOf } from '../parts/full.ts';
import { canAttack } from '../parts/hostile-spill.ts';
import { type KafkaPart, startKafka } from '../parts/kafka.ts';
import { report } from '../parts/report.ts';
import { sharedElasticsearch, sharedKafka } from '../parts/shared.ts';
import { suiteWith } from '../parts/suite.ts';
import { type Row, toTable } from './equations.ts';
import { RATE, runScenario } from './run-scenario.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';
import { canMakeDisk } from './small-disk.ts';
import { type Parts, type Stage, setStage, type Transport } from './stage.ts';

jest.setTimeout(600_000);

suiteWith(['nginx', 'kafka', 'elasticsearch'], { stops: FULL })(`${RATE} views a second, and a fault`, () => {
  let build: NginxBuild;
  let kafka: KafkaPart;
  let elasticsearch: ElasticsearchPart;
  const rows: Row[] = [];
  let runs = 0;

  beforeAll(async () => {
    build = await obtainNginx({ suite: 'trixie', report });
    // Only the full set of scenarios stops or kills these; the short scenarios can share them.
    [kafka, elasticsearch] = await Promise.all(
      FULL ? [startKafka(), startElasticsearch()] : [sharedKafka(), sharedElasticsearch()],
    );
  });
  afterAll(async () => {
    report(toTable(rows));
    await Promise.all([kafka?.close(), elasticsearch?.close()]);
  });

  for (const scenario of FULL ? SCENARIOS : SCENARIOS.filter(({ short }) => short !== undefined)) {
    const transports = firstOf(1, scenario.transports);
    const run = isPossible(scenario) ? test : test.skip;
    run.each(transports)(`${scenario.name}, %s: every view is in the index once`, (transport) =>
      passes(scenario, transport),
    );
  }

  async function passes(scenario: Scenario, transport: Transport): Promise<void> {
    report(`${scenario.name}, ${transport}: ${scenario.does}${costs(scenario)}`);
    const parts: Parts = { build, kafka, elasticsearch };
    const stage = await setStage({ parts, transport, name: `fault-${++runs}`, ...needsOf(scenario) });
    try {
      const seconds = FULL ? scenario.seconds : scenario.short;
      const outcome = await runScenario(scenario, stage, seconds ?? 12);
      const { problems } = outcome;
      rows.push({ scenario: scenario.name, transport, ...outcome });
      if (problems.length > 0) report(`${problems.join('\n')}\n${await lastLogs(stage)}`);
      expect(problems).toEqual([]);
    } finally {
      await stage.close();
    }
  }
});

/** nginx logs a line for each view without an answer of the sidecar: the last ones are sufficient. */
async function lastLogs({ chain }: Stage): Promise<string> {
  const errors = (await chain.nginx.errorLog()).split('\n').slice(-10);
  return [...errors, chain.sidecar.log(), chain.sink?.log()].join('\n');
}

function isPossible({ needs = [] }: Scenario): boolean {
  if (needs.includes('another user') && !canAttack) return false;
  return canMakeDisk() || !needs.some((need) => need.endsWith('disk'));
}

function needsOf({ needs, client }: Scenario) {
  return { ...(needs && { needs }), ...(client && { client }) };
}

function costs({ mayLose }: Scenario): string {
  return mayLose === undefined ? '' : ` (may lose some: ${mayLose.why})`;
}
