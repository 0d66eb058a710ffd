import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { ReplayedLetters } from '../../reconcile/replay-letters.ts';
import type { KeptLetter } from '../../store/dead-letters/box.ts';
import { createDeadLetterFile, createDeadLetterTopic } from '../../store/dead-letters/dead-letters.ts';
import { createDeadLetterFileBox } from '../../store/dead-letters/file.ts';
import { openDuckdbIndex } from '../../store/duckdb/duckdb.ts';
import type { KafkaClient } from '../../store/kafka/client.ts';
import { createKafkajsClient } from '../../store/kafka/kafkajs/kafkajs.ts';
import { FULL } from '../parts/full.ts';
import { temporaryFolder } from '../parts/guard.ts';
import type { KafkaPart } from '../parts/kafka.ts';
import { ARTICLE, tracesIn, WRAPS } from '../parts/nasty-records.ts';
import { freePort } from '../parts/ports.ts';
import { startService } from '../parts/service.ts';
import { sharedKafka } from '../parts/shared.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { view } from './index-contract.ts';
import { openPastTopic, type PastTopic } from './past-topic.ts';
import { askHotitem, runHotitem } from './run-hotitem.ts';
import { openSinkTopic, startSinkService } from './sink-topic.ts';

jest.setTimeout(300_000);
const HOSTILE = '\x1b]0;owned\x07\x1b[2J <b>\u202e\r\nrm -rf';

type Listed = { id: string; reason: string; origin: string; value: string; replayed: boolean };

suiteWith(['kafka'])('hotitem dead-letters, of a topic', () => {
  let kafka: KafkaPart;
  let client: KafkaClient;
  let topic: PastTopic;
  let env: Record<string, string>;
  let run = 0;
  const good = JSON.stringify(view());

  beforeAll(async () => {
    kafka = await sharedKafka();
    client = createKafkajsClient({ brokers: kafka.brokers, clientId: 'test', onWarning: () => {} });
  });
  afterAll(async () => {
    await client?.close();
    await kafka?.close();
  });
  beforeEach(async () => {
    const name = `dead-${Date.now().toString(36)}-${run++}`;
    env = {
      KAFKA_BROKERS: kafka.brokers.join(','),
      HOTITEM_KAFKA_TOPIC: name,
      HOTITEM_KAFKA_DEAD_LETTER_TOPIC: `${name}.dead`,
    };
    // Longer than the hours ago of which records are: Kafka deletes what is older every five minutes.
    const common = { partitions: 6, replicationFactor: 1, retentionMs: 7 * 86_400_000 };
    const topics = [
      { ...common, topic: name },
      { ...common, topic: `${name}.dead`, partitions: 1 },
    ];
    await client.setup(topics, { dryRun: false });
    await topic?.close();
    topic = await openPastTopic(env);
    const letters = createDeadLetterTopic(client, `${name}.dead`, Date.now);
    await letters.add([
      { value: Buffer.from(HOSTILE), reason: `event: is not JSON ${HOSTILE}`, origin: `${name}/3/7` },
      { value: Buffer.from(good), reason: 'document_parsing_exception: no date', origin: `${name}/0/12` },
    ]);
  });
  afterAll(() => topic?.close());

  test('are replayed into the topic of events once, unless with --again, and listed as replayed, without control characters, and shown completely by their id', async () => {
    expect(await replay(['--dry-run'])).toMatchObject({ answer: { replayed: 2, before: 0, refused: 0 } });
    expect(await topic.recordsOf(env.HOTITEM_KAFKA_TOPIC ?? '')).toEqual([]);

    expect(await replay(['--reason', 'no date'])).toMatchObject({ answer: { replayed: 1, before: 0 } });
    expect(await replay(['--reason', 'no date'])).toMatchObject({ answer: { replayed: 0, before: 1 } });
    expect(await topic.recordsOf(env.HOTITEM_KAFKA_TOPIC ?? '')).toMatchObject([
      { value: good, headers: { replayed_from: `${env.HOTITEM_KAFKA_TOPIC}/0/12` } },
    ]);

    const { stdout, stderr, code } = await runHotitem(['dead-letters', 'list'], env);
    expect(code).toBe(0);
    expect(stdout).toContain('event: is not JSON \\x1b]0;owned\\x07\\x1b[2J <b>\\u{202e}\\r\\n');
    expect(stdout).toMatch(/^0\/1 {2}\S+ {2}replayed .* document_parsing_exception: no date/m);
    expect(stdout).not.toMatch(/[^\P{C}\n]/u);
    expect(stderr).toBe(`2 dead letters in Kafka topic ${env.HOTITEM_KAFKA_DEAD_LETTER_TOPIC}\n`);
    const { answer } = await askHotitem<Listed>(['dead-letters', 'list', '--reason', 'NO DATE'], env);
    expect(answer).toMatchObject({
      id: '0/1',
      reason: 'document_parsing_exception: no date',
      value: good,
      replayed: true,
    });
    expect((await askHotitem<Listed>(['dead-letters', 'show', '0/1'], env)).answer).toEqual(answer);
    const none = await runHotitem(['dead-letters', 'show', '0/99'], env);
    expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining('there is no dead letter 0/99') });

    expect(await replay(['--again'])).toMatchObject({ answer: { replayed: 2, before: 0 } });
    expect(await topic.recordsOf(env.HOTITEM_KAFKA_TOPIC ?? '')).toHaveLength(3);
  });

  test('are purged after confirmation, up to now', async () => {
    const asked = await runHotitem(['dead-letters', 'purge'], env);
    expect(asked).toMatchObject({ code: 1, stderr: expect.stringContaining('Nothing was deleted') });
    const older = await askHotitem(['dead-letters', 'purge', '--until', '-1h', '--yes'], env);
    expect(older.answer).toMatchObject({ letters: 0 });
    expect(await topic.recordsOf(env.HOTITEM_KAFKA_DEAD_LETTER_TOPIC ?? '')).toHaveLength(2);

    const { answer } = await askHotitem(['dead-letters', 'purge', '--yes'], env);
    expect(answer).toMatchObject({ letters: 2, notReplayed: 2 });
    expect(await topic.recordsOf(env.HOTITEM_KAFKA_DEAD_LETTER_TOPIC ?? '')).toEqual([]);
  });

  test.each(FULL ? ['kafkajs', 'platformatic'] : ['kafkajs'])(
    'are replayed with the time and the id of their record, by %s: no false surge, and none twice',
    async (name) => {
      Object.assign(env, { HOTITEM_KAFKA_CLIENT: name });
      const events = env.HOTITEM_KAFKA_TOPIC ?? '';
      const hour = 3_600_000;
      const recorded = [1, 2, 3].map((ago) => Math.floor(Date.now() / 1000) * 1000 - ago * hour);
      const article = JSON.stringify({ uri: '/web/item/1.html', ip: '', token: 't', actime: '' });
      const letters = createDeadLetterTopic(client, `${events}.dead`, Date.now);
      await letters.add(
        recorded.map((time, i) => ({
          value: Buffer.from(i === 0 ? good : article),
          reason: 'the index was wrong',
          origin: `${events}/0/${i}`,
          recorded: time,
        })),
      );
      expect(await replay(['--reason', 'was wrong'])).toMatchObject({ answer: { replayed: 3 } });
      expect(await replay(['--reason', 'was wrong', '--again'])).toMatchObject({ answer: { replayed: 3 } });
      const records = await topic.recordsOf(events);
      expect(records.map(({ time }) => time).sort()).toEqual([...recorded, ...recorded].sort());
      const ids = records.map(({ value }) => JSON.parse(value).id);
      expect(new Set(ids)).toEqual(
        new Set([JSON.parse(good).id, `${events}-0-1-${recorded[1]}`, `${events}-0-2-${recorded[2]}`]),
      );
      expect(JSON.stringify(records)).not.toContain('token');
    },
  );

  test('of records that are not events: with privacy.ip drop, nothing about a visitor is stored', async () => {
    const { path: home, remove } = temporaryFolder('dead-privacy');
    const logFile = join(home, 'sink.log');
    const settings = { ...env, HOTITEM_HOME: home, HOTITEM_KAFKA_GROUP: `sink-${env.HOTITEM_KAFKA_TOPIC}` };
    const raw = await openSinkTopic(settings);
    const nasty = Object.values(WRAPS).map((wrap) => ({ value: wrap(Buffer.from(JSON.stringify(ARTICLE))) }));
    const view = JSON.stringify({ ...ARTICLE, uri: '/web/item/1.html' });
    const lists = [`\ufeff${view}`, `[${view},${view}]`, ` \n[${view}, 7]`].map((value) =>
      Buffer.from(value),
    );
    await raw.appendRaw([...nasty, ...lists.map((value) => ({ value }))]);
    await raw.close();
    const sink = await startSinkService({ ...settings, HOTITEM_PRIVACY_IP: 'drop' }, logFile);
    try {
      const count = nasty.length + 5;
      await until(async () => (await sink.metric('hotitem_sink_consumed_total')) >= count, {
        timeoutMs: 60_000,
        what: `${count} records`,
        detail: sink.log,
      });
      expect(await sink.metric('hotitem_sink_indexed_total')).toBe(4);
    } finally {
      await sink.stop();
    }
    const kept = (await topic.recordsOf(env.HOTITEM_KAFKA_DEAD_LETTER_TOPIC ?? '')).slice(2);
    expect(kept).toHaveLength(nasty.length + 1);
    expect(tracesIn(JSON.stringify(kept))).toEqual([]);
    expect(kept.every(({ headers }) => Date.parse(headers.recorded ?? '') > 0)).toBe(true);
    const written = readdirSync(home, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    const files = written.map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1'));
    expect(files.flatMap((content) => tracesIn(content, ['203.0.113', 'c2VzYW1l']))).toEqual([]);
    const lines = readFileSync(logFile, 'utf8').split('\n');
    const notices = lines.filter((line) => line.includes('dead letters')).map((line) => JSON.parse(line));
    expect(notices.reduce((sum, { count }) => sum + count, 0)).toBe(kept.length);
    expect(notices[0].reasons).toMatchObject({ 'uri: must be a path': expect.any(Number) });
    remove();
  });

  function replay(args: string[]) {
    return askHotitem<ReplayedLetters>(['dead-letters', 'replay', ...args], env);
  }
});

describe('hotitem dead-letters, of the file of the embedded index', () => {
  const event = view();

  test('are listed, replayed into the index by the process that has it open, and purged', async () => {
    const { path: home, remove } = temporaryFolder('dead-letters');
    const admin = `127.0.0.1:${await freePort()}`;
    const env = { HOTITEM_HOME: home, HOTITEM_ADMIN_LISTEN: admin };
    const path = join(home, 'dead-letters.ndjson');
    const sidecar = await startService({ args: ['sidecar'], env, admin, logFile: join(home, 'sidecar.log') });
    try {
      await fill(path);
      const { stdout } = await runHotitem(['dead-letters', 'list'], env);
      expect(stdout).toContain('event: is not JSON');
      expect(stdout).not.toMatch(/[^\P{C}\n]/u);

      expect(await replay([], env)).toMatchObject({
        status: 1,
        answer: { replayed: 1, refused: 1, examples: [{ reason: expect.stringContaining('is not JSON') }] },
      });
      expect(await replay([], env)).toMatchObject({ answer: { replayed: 0, before: 1, refused: 1 } });
      await sidecar.stop();
      expect(await stored(home)).toEqual([1]);
      expect(await replay(['--again', '--reason', 'full'], env)).toMatchObject({ answer: { replayed: 1 } });
      expect(await stored(home)).toEqual([1]);

      await askHotitem(['dead-letters', 'purge', '--yes'], env);
      expect(existsSync(path)).toBe(false);
    } finally {
      await sidecar.stop();
      remove();
    }
  });

  test('a purge keeps later letters, and bytes that are not text are restored unchanged', async () => {
    const { path: home, remove } = temporaryFolder('dead-letters');
    const env = { HOTITEM_HOME: home };
    const path = join(home, 'dead-letters.ndjson');
    const bytes = Buffer.from([0xff, 0xfe, 0x00]);
    await letterFile(path, () => Date.UTC(2026, 0, 1)).add([letter('old', bytes)]);
    await letterFile(path, () => Date.UTC(2026, 5, 1)).add([letter('new', bytes)]);
    appendFileSync(path, '{"time":"cut off');
    await askHotitem(['dead-letters', 'purge', '--yes', '--until', '2026-03-01'], env);
    const { stdout } = await runHotitem(['dead-letters', 'list', '--json'], env);
    expect(JSON.parse(stdout)).toMatchObject({ reason: 'new', value_base64: bytes.toString('base64') });
    expect(readFileSync(`${path}.1`, 'utf8').split('\n')).toHaveLength(2);
    remove();
  });

  test.each<[string, (kept: string) => void]>([
    ['a full disk', (kept) => symlinkSync('/dev/full', kept)],
    ...(FULL ? [['a folder in its place', (kept) => mkdirSync(kept)] as [string, typeof mkdirSync]] : []),
  ])(
    'a purge whose copy cannot be written (%s) says so in one line, deletes nothing, and can be repeated',
    async (_, prevent) => {
      const { path: home, remove } = temporaryFolder('dead-letters');
      const env = { HOTITEM_HOME: home };
      const path = join(home, 'dead-letters.ndjson');
      await letterFile(path, () => Date.UTC(2026, 0, 1)).add([letter('old', Buffer.from('1'))]);
      await letterFile(path, () => Date.UTC(2026, 5, 1)).add([letter('new', Buffer.from('2'))]);
      const reasons = async () => (await lettersIn(path)).map(({ reason }) => reason);
      const purge = ['dead-letters', 'purge', '--yes', '--until', '2026-03-01'];

      prevent(`${path}.kept`);
      const failed = await runHotitem(purge, env);
      expect(failed).toMatchObject({ code: 1, stdout: '' });
      expect(failed.stderr).toMatch(/^hotitem: cannot write .*\.kept, nothing was deleted: E[A-Z]+: .*\n$/);
      expect(await reasons()).toEqual(['old', 'new']);

      await letterFile(path, () => Date.UTC(2026, 6, 1)).add([letter('newest', Buffer.from('3'))]);
      if (FULL) expect(await runHotitem(purge, env)).toMatchObject({ code: 1 });
      expect(await reasons()).toEqual(['old', 'new', 'newest']);

      rmSync(`${path}.kept`, { recursive: true });
      await askHotitem(purge, env);
      expect(await reasons()).toEqual(['new', 'newest']);
      remove();
    },
  );

  test.each([
    ['half a letter that a full disk left', '{"time":"2026-01-01T00:00:00.000Z","reas'],
    ['NULs that a power cut left', '\0\0\0\0'],
  ])('%s lose no letter and no note after them', async (_, left) => {
    const { path: home, remove } = temporaryFolder('dead-letters');
    const path = join(home, 'dead-letters.ndjson');
    appendFileSync(path, left);
    await letterFile(path, Date.now).add([letter('good', Buffer.from('1'))]);
    const [good] = await lettersIn(path);
    expect(good).toMatchObject({ reason: 'good', replayed: false });
    appendFileSync(path, left);
    await createDeadLetterFileBox(path).markReplayed([good?.id ?? '']);

    expect(await lettersIn(path)).toMatchObject([{ reason: 'good', replayed: true }]);
    remove();
  });

  async function fill(path: string): Promise<void> {
    const letters = letterFile(path, Date.now);
    await letters.add([
      letter('disk is full', Buffer.from(JSON.stringify(event))),
      letter('event: is not JSON', Buffer.from(HOSTILE)),
    ]);
  }

  function letter(reason: string, value: Buffer) {
    return { reason, value, origin: 'spool/7' };
  }

  function replay(args: string[], env: Record<string, string>) {
    return askHotitem<ReplayedLetters>(['dead-letters', 'replay', ...args], env);
  }

  /** How often the event is in the file of the index, of which nobody may have hold. */
  async function stored(home: string): Promise<number[]> {
    const index = await openDuckdbIndex({ path: join(home, 'duckdb/hotitem.duckdb') });
    return index.count([event.id]).finally(() => index.close());
  }
});

async function lettersIn(path: string): Promise<KeptLetter[]> {
  const letters: KeptLetter[] = [];
  await createDeadLetterFileBox(path).read((one) => void letters.push(one));
  return letters;
}

function letterFile(path: string, now: () => number) {
  return createDeadLetterFile({ path, now, onDropped: () => {} });
}
