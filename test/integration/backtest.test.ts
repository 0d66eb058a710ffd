import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { BacktestAnswer } from '../../cli/backtest-text.ts';
import type { KafkaClient } from '../../store/kafka/client.ts';
import { createKafkajsClient } from '../../store/kafka/kafkajs/kafkajs.ts';
import { firstOf } from '../parts/full.ts';
import { temporaryFolder } from '../parts/guard.ts';
import type { KafkaPart } from '../parts/kafka.ts';
import { createTopics, withAdmin } from '../parts/kafka-admin.ts';
import { sharedKafka } from '../parts/shared.ts';
import { suiteWith } from '../parts/suite.ts';
import { askHotitem, PROGRAM, runHotitem } from './run-hotitem.ts';

jest.setTimeout(300_000);
const START = 1_795_355_700_000;
const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0';
const TOPIC = `backtest-${Date.now().toString(36)}`;
const folder = temporaryFolder('backtest');
const env = { HOTITEM_HOME: folder.path };
afterAll(folder.remove);

describe('hotitem backtest', () => {
  test('reports for a file what would have been hot, when, why, and the requests saved', async () => {
    const file = write('sale.ndjson', saleOf(40));
    const { code, stdout } = await runHotitem(['backtest', '--from', file], env);
    expect(code).toBe(0);
    expect(stdout).toContain('read          1,600 events: 1,600 views, 0 of them by bots');
    expect(stdout).toMatch(
      /hot: 1\n {2}sale {2}busy, rule default\n {4}from 2026-11-22T13:55:0\dZ for 3\d s and at the end still/,
    );
    expect(stdout).toMatch(/views\/s over 10 s, \d+ visitors in 10 s/);
    expect(stdout).toMatch(/would have saved the origin 1,\d{3} requests/);
  });

  test('reads standard input, and reports lines that are not events with their numbers', async () => {
    const lines = [...saleOf(10), '{"v":1}', '', 'no event'];
    const { code, stdout, stderr } = await withInput(
      ['backtest', '--from', '-', '--json'],
      `${lines.join('\n')}\n`,
    );
    expect([code, stderr.split('\n').length]).toEqual([0, 2]);
    const { counts }: BacktestAnswer = JSON.parse(stdout);
    expect(counts).toMatchObject({ events: 402, views: 400, bad: 2 });
    expect(counts.badExamples.map(({ place }) => place)).toEqual(['line 401', 'line 403']);
  });

  test('applies a rules file with its pins, and names every problem of an invalid one', async () => {
    const file = write('rules-sale.ndjson', saleOf(40));
    const rules = join(folder.path, 'rules.yml');
    writeFileSync(
      rules,
      `rules: [{ name: large, busy: { enter_views_per_second: 100 } }]\npins: [{ item: tv, reason: announced, from: "${iso(5)}", until: "${iso(15)}" }]\n`,
    );
    const { answer } = await ask(['--from', file, '--rules', rules]);
    expect(answer.found?.spells).toMatchObject([{ item: 'tv', signal: 'pin', reason: 'announced' }]);
    writeFileSync(rules, 'cap: -1\nrules: [{ busi: {} }]\n');
    const wrong = await runHotitem(['backtest', '--from', file, '--rules', rules], env);
    expect(wrong.code).toBe(1);
    for (const path of ['cap: ', 'rules[0].busi: ']) expect(wrong.stderr).toContain(path);
  });

  test('tries thresholds', async () => {
    const file = write('grid-sale.ndjson', saleOf(60));
    const args = ['--from', file, '--grid', '--busy-from', '10,100', '--surprise', '25'];
    const { answer } = await ask(args);
    expect(answer.grid?.map(({ busyFrom, busy }) => [busyFrom, busy.items])).toEqual([
      [10, 1],
      [100, 0],
    ]);
    const { stdout } = await runHotitem(['backtest', ...args], env);
    expect(stdout).toMatch(/busy from\/s {2}S from {2}busy items {2}minutes/);
  });

  test('reads views of a time range, and of a node', async () => {
    const file = write('range.ndjson', saleOf(40));
    const some = await ask(['--from', file, '--since', iso(10), '--until', iso(20)]);
    expect(some.answer.counts).toMatchObject({ views: 400, outside: 1_200 });
    const none = await ask(['--from', file, '--node', 'web-2']);
    expect(none.answer.counts).toMatchObject({ views: 0, otherNodes: 1_600 });
  });

  test.each(
    firstOf<[string[], number, string]>(4, [
      [[], 2, 'needs --from'],
      [['--from', 'nowhere.ndjson'], 1, 'cannot read nowhere.ndjson'],
      [['--from', 'spool'], 1, 'there is no spool in'],
      [['--from', join(import.meta.dirname, 'run-hotitem.ts'), '--since', '-1h'], 0, ''],
      [['--from', 'kafka'], 2, 'KAFKA_BROKERS'],
      [['--from', '-', '--surprise', '25'], 2, 'need --grid'],
      [['--from', '-', '--grid', '--surprise', 'x'], 2, '--surprise: must be numbers'],
      [['--from', '-', '--since', 'noon'], 2, '--since: must be like'],
    ]),
  )('says what it needs: %j', async (args, code, text) => {
    expect(await runHotitem(['backtest', ...args], env)).toMatchObject({
      code,
      stderr: expect.stringContaining(text),
    });
  });
});

suiteWith(['kafka'])('hotitem backtest of a topic', () => {
  let kafka: KafkaPart;
  let client: KafkaClient;

  beforeAll(async () => {
    kafka = await sharedKafka();
    await withAdmin(kafka, (admin) => createTopics(admin, [{ topic: TOPIC, numPartitions: 3 }]));
    client = createKafkajsClient({ brokers: kafka.brokers, clientId: 'test', onWarning: () => {} });
    // Each second goes to another partition; some of it twice.
    const lines = saleOf(60);
    for (let second = 0; second < 60; second++) {
      const values = lines.slice(second * 40, second * 40 + 40).map((line) => ({ value: Buffer.from(line) }));
      await client.send(TOPIC, second % 10 === 0 ? [...values, ...values] : values);
    }
  });
  afterAll(async () => {
    await client?.close();
    await kafka?.close();
  });

  test('finds the same as in ordered events, and leaves no trace in any group', async () => {
    const groups = () => withAdmin(kafka, (admin) => admin.listGroups());
    const named = async () =>
      (await groups()).groups.map(({ groupId }) => groupId).filter((id) => id.includes(TOPIC));
    const of = {
      KAFKA_BROKERS: kafka.brokers.join(),
      HOTITEM_KAFKA_TOPIC: TOPIC,
      HOTITEM_KAFKA_GROUP: `group-${TOPIC}`,
    };
    const { status, answer } = await askHotitem<BacktestAnswer>(['backtest', '--from', 'kafka'], {
      ...env,
      ...of,
    });
    expect(status).toBe(0);
    expect(answer.counts).toMatchObject({ events: 2_640, views: 2_400, duplicates: 240, bad: 0 });
    expect(answer.found?.stats?.late).toBe(0);
    const { answer: inOrder } = await ask(['--from', write('topic.ndjson', saleOf(60))]);
    expect(answer.found?.spells).toEqual(inOrder.found?.spells);
    expect(answer.found?.spells).toHaveLength(1);
    expect(await named()).toEqual([]);
    const some = await askHotitem<BacktestAnswer>(
      ['backtest', '--from', 'kafka', '--since', iso(10), '--until', iso(20)],
      { ...env, ...of },
    );
    expect(some.answer.counts).toMatchObject({ views: 400 });
  });
});

function ask(args: string[]): Promise<{ status: number; answer: BacktestAnswer }> {
  return askHotitem<BacktestAnswer>(['backtest', ...args], env);
}

/** Views of one item for this many seconds, 40 in each, all by different visitors. */
function saleOf(seconds: number): string[] {
  return Array.from({ length: 40 * seconds }, (_, i) =>
    JSON.stringify({
      v: 1,
      id: `${TOPIC}-${i}`,
      time: START + i * 25,
      uri: '/item/sale.html',
      item: 'sale',
      ip: `198.51.${i >> 8}.${i & 255}`,
      ua: BROWSER,
      node: 'web-1',
    }),
  );
}

function iso(second: number): string {
  return new Date(START + second * 1_000).toISOString();
}

function write(name: string, lines: string[]): string {
  const path = join(folder.path, name);
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

async function withInput(args: string[], input: string) {
  const child = spawn(process.execPath, [PROGRAM, ...args], { env: { PATH: process.env.PATH, ...env } });
  const code = new Promise<number | null>((resolve) => child.once('close', resolve));
  child.stdin.end(input);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, stdout, stderr };
}
