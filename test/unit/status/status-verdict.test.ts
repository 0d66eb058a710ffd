import { expect, test } from '@jest/globals';
import type { Accounts } from '../../../app/wire-sidecar.ts';
import type { NginxAccounts, NginxInstanceAccounts } from '../../../sidecar/nginx/nginx-accounting.ts';
import type { StatusFacts } from '../../../status/facts.ts';
import { verdictOf } from '../../../status/status-verdict.ts';

const NOW = Date.parse('2026-11-26T16:40:00Z');
const OLDER = {
  reportedAt: NOW,
  captured: 7,
  buffered: 0,
  spilled: 0,
  diverted: 0,
  dropped: 0,
  unaccounted: 0,
};

const NOTHING = {
  ...{ received: 0, accepted: 0, duplicate: 0, sampledOut: 0, bad: 0, sheddingStep: 0 },
  ...{ waitingAtStart: 0, waiting: 0, delivered: 0, dead: 0, lost: 0, unaccounted: 0 },
};

test.each<[string, string, Accounts, number]>([
  ['an nginx that captures', 'captures; delivers; nothing lost', of({}), 0],
  [
    'an nginx that does not report, and may have lost every view',
    'nothing captured yet; delivers; nothing lost behind nginx, which does not report',
    of({ nginx: undefined }),
    0,
  ],
  [
    'a mode that no nginx follows',
    'captures: 7 lines since the sidecar started; delivers; nothing lost behind nginx, which does not report',
    unfollowed(),
    1,
  ],
  ['one view in four', 'captures 1 view in 4; delivers; nothing lost', of({ instance: { oneIn: 4 } }), 0],
  [
    'an include that is off, whatever the sidecar said',
    'captures NOTHING: nginx includes off-batch.conf; delivers; nothing lost',
    of({ instance: { oneIn: 1, off: true } }),
    1,
  ],
  [
    'a mode that is off in nginx.conf',
    'captures NOTHING: $hotitem_mode_default is off in the configuration of nginx; delivers; nothing lost',
    of({ instance: { oneIn: 0 } }),
    1,
  ],
  [
    'an nginx that does not run',
    'nginx is silent since 2026-11-26T16:39:00Z; delivers; nothing lost until then',
    of({ nginx: { reportedAt: NOW - 60_000 } }),
    1,
  ],
  [
    'an nginx whose last report is from before the clock was set back',
    'nginx is silent since 2026-11-26T17:40:00Z; delivers; nothing lost until then',
    of({ nginx: { reportedAt: NOW + 3_600_000 } }),
    1,
  ],
  [
    'an outage',
    'captures; does NOT deliver since 2026-11-26T16:38:20Z: no broker (12 wait in the spool); nothing lost',
    { ...of({}), outage: { since: NOW - 100_000, reason: 'no broker' } },
    1,
  ],
  [
    'a loss that goes on',
    'captures; delivers; LOSING views: 30 since 2026-11-26T16:23:20Z: nginx could not spill them: the spill folder was full, or its workers could not write to it',
    { ...of({}), losses: [loss(NOW - 10_000)] },
    3,
  ],
  [
    'a loss that has ended',
    'captures; delivers; LOST views: 30 since 2026-11-26T16:23:20Z: nginx could not spill them: the spill folder was full, or its workers could not write to it',
    { ...of({}), losses: [loss(NOW - 120_000)] },
    3,
  ],
  [
    'a loss of before',
    'captures; delivers; nothing lost',
    { ...of({}), losses: [loss(NOW - 90_000_000)] },
    0,
  ],
])('a sidecar that shows %s', (_, line, accounts, status) => {
  expect(verdictOf(facts(accounts))).toMatchObject({ line, status });
});

test('only that views cannot be spilled is no failure to deliver, and names the command that fixes it', () => {
  const checks = "spool: ok\nspill: nginx's workers cannot write to the spill folder\nsink: ok";
  const { line, status, isDelivered, findings } = verdictOf(facts(of({}), { ready: false, checks }));
  expect({ line, status, isDelivered }).toEqual({
    isDelivered: true,
    line: "captures; delivers, but the sidecar is not ready: spill: nginx's workers cannot write to the spill folder; nothing lost",
    status: 1,
  });
  expect(findings).toMatchObject([{ id: 'sidecar-spill', command: 'hotitem check --nginx' }]);

  const both = verdictOf(facts(of({}), { ready: false, checks: 'sink: no answer\nspill: no folder' }));
  expect(both.line).toMatch(/; does NOT deliver: the sidecar is not ready: sink: no answer /);
  expect(both.findings.map(({ id }) => id)).toEqual(['sidecar-not-ready', 'sidecar-spill']);
});

test('an nginx that does not report is noted, as what it loses is not counted', () => {
  const { findings } = verdictOf(facts(of({ nginx: undefined })));
  expect(findings).toMatchObject([{ id: 'nginx-not-reporting', severity: 'note' }]);
});

test('a sink alone knows only what it lost itself', () => {
  const sidecar = { at: '127.0.0.1:9180', problem: 'nothing answers', hint: '', silent: true };
  expect(verdictOf({ ...facts(of({})), sidecar }).line).toMatch(/; nothing lost by the sink$/);
});

test('a webhook that accepts nothing is named, with how to try it', () => {
  const ok = { name: 'ok', waiting: 0, dropped: 0 };
  const failure = { reason: 'answers 503', since: NOW - 60_000 };
  const webhooks = [ok, { name: 'orders', waiting: 3, dropped: 1, failure }];
  const { findings, status } = verdictOf(facts({ ...of({}), webhooks }));
  expect([status, findings]).toEqual([
    1,
    [
      expect.objectContaining({
        what: 'the webhook orders accepts nothing since 2026-11-26T16:39:00Z: answers 503',
        command: 'hotitem webhook test orders',
      }),
    ],
  ]);
});

test('a webhook that rejects messages is named, though it accepts others', () => {
  const rejected = { reason: 'answers 422', at: NOW - 60_000 };
  const webhooks = [{ name: 'orders', waiting: 0, dropped: 1, rejected }];
  const { findings } = verdictOf(facts({ ...of({}), webhooks }));
  expect(findings).toMatchObject([
    {
      id: 'webhook-rejecting',
      what: 'the webhook orders rejected a message at 2026-11-26T16:39:00Z: answers 422',
    },
  ]);
});

test.each<[string, Partial<NonNullable<Accounts['heat']>>, string[], number]>([
  ['that are found', {}, [], 0],
  ['behind rules that cannot be used', { rulesProblems: ['cap: wrong'] }, ['heat-rules'], 1],
  ['that nginx does not see', { failure: 'no folder' }, ['hot-list-unwritten'], 1],
  ['that are frozen', { frozen: true }, ['hot-list-frozen'], 0],
])('hot items %s', (_, changes, ids, status) => {
  const heat = { hot: 1, held: 0, frozen: false, rulesProblems: [], ...changes };
  const verdict = verdictOf(facts({ ...of({}), heat }));
  expect([verdict.findings.map(({ id }) => id), verdict.status]).toEqual([ids, status]);
});

test.each<[string, Partial<NonNullable<Accounts['catalogue']>>, string[], number]>([
  ['that is in effect', {}, [], 0],
  ['before a file that cannot be used', { failure: 'half-written' }, ['catalogue'], 1],
])('a catalogue %s', (_, changes, ids, status) => {
  const catalogue = { rows: 7, rejected: 1, droppedImages: 0, modified: NOW, ...changes };
  const verdict = verdictOf(facts({ ...of({}), catalogue }));
  expect([verdict.findings.map(({ id }) => id), verdict.status]).toEqual([ids, status]);
  for (const { why } of verdict.findings) expect(why).toBe('the one before it stays in effect, with 7 items');
});

test('a sidecar from before an upgrade is shown, with a warning about its version', () => {
  const instances: NginxInstanceAccounts[] = [];
  const accounts = {
    capture: { version: 0, mode: 'default' },
    accounts: { ...OLDER, ingested: 7, instances },
  } as const;
  const { line, status, findings } = verdictOf(facts({ nginx: { ...accounts } }));
  expect({ line, status }).toEqual({ line: 'captures; delivers; nothing lost', status: 0 });
  expect(findings.map(({ id }) => id)).toEqual(['sidecar-version']);
});

test('names the nearest of several obstacles, and keeps the others', () => {
  const group = { name: 'hotitem-sink', members: [], behind: 20 };
  const topic = { name: 'events', partitions: 6 };
  const deadLetterTopic = {
    name: 'events.dead',
    problem: { failure: 'topic_missing', reason: 'no' },
  } as const;
  const { line, findings } = verdictOf({
    ...facts(of({})),
    kafka: { brokers: ['a:9092'], topic, deadLetterTopic, group },
    index: { name: 'Elasticsearch', problem: 'rejects the login (401)' },
  });
  expect(line).toBe(
    'captures; does NOT deliver: Kafka has no topic events.dead (12 wait in the spool, 20 wait in Kafka); nothing lost',
  );
  expect(findings.map(({ id }) => id)).toEqual(['no-topic', 'no-sink', 'index-login']);
});

test('an index that takes events, and has no numbers for the page, delivers', () => {
  const noNumbers = 'hot_item.bot is unmapped in the data stream hot_item (.ds-hot_item-000001): ...';
  const { line, findings } = verdictOf({ ...facts(of({})), index: { name: 'Elasticsearch', noNumbers } });

  expect(line).toMatch(
    /^captures; delivers, but the page has no numbers from Elasticsearch: hot_item\.bot is /,
  );
  expect(findings).toMatchObject([{ id: 'index-lacks-field', severity: 'error', command: 'hotitem setup' }]);
});

test('the commands contain the configured folder of the includes, node and data stream', () => {
  const places = {
    includes: '/opt/my shop/hotitem',
    node: 'https://es.example:9200',
    caFile: '/etc/hotitem/ca.pem',
    dataStream: 'hot_item_shop',
  };
  const commands = (problem: string) => {
    const index = { name: 'Elasticsearch', problem };
    const { findings } = verdictOf({ ...facts(of({ instance: { release: '0.9.0' } })), places, index });
    return Object.fromEntries(findings.map(({ id, command }) => [id, command]));
  };
  const { 'index-login': key, 'includes-version': includes } = commands('rejects the login (401)');
  expect(key).toContain('https://es.example:9200/_security/api_key ');
  expect(key).toContain('"names":["hot_item_shop"]');
  expect(includes).toMatch(/^hotitem nginx install --dir '\/opt\/my shop\/hotitem' && /);
  expect(commands('flood-stage watermark')['index-disk-full']).toBe(
    "curl --cacert /etc/hotitem/ca.pem -u elastic 'https://es.example:9200/_cat/allocation?v'",
  );
});

type Changed = { nginx?: Partial<NginxAccounts> | undefined; instance?: Partial<NginxInstanceAccounts> };

function of(changed: Changed): Accounts {
  const instance = {
    started: 1,
    instance: 1,
    reportedAt: NOW,
    captured: 7,
    buffered: 0,
    spilled: 0,
    dropped: 0,
  };
  const instances = [{ ...instance, oneIn: 1, off: false, release: '1.0.0', ...changed.instance }];
  const isSilent = 'nginx' in changed && changed.nginx === undefined;
  const accounts = { ...OLDER, ingested: 7, instances, ...changed.nginx };
  return {
    about: { version: '1.0.0', node: 'web-1', pid: 1, started: 0, now: NOW },
    nginx: { capture: { version: 1, mode: 'on' }, accounts: isSilent ? undefined : accounts },
    sidecar: { ...NOTHING, waiting: 12 },
  };
}

function unfollowed(): Accounts {
  const nginx = { capture: { version: 1, mode: 'off' }, accounts: undefined } as const;
  return { ...of({}), nginx, sidecar: { ...NOTHING, received: 7 } };
}

function facts(accounts: Accounts, readiness = { ready: true, checks: 'spool: ok' }): StatusFacts {
  const sidecar = { at: '127.0.0.1:9180', ...readiness, accounts };
  const places = {
    includes: '/etc/nginx/hotitem',
    node: undefined,
    caFile: undefined,
    dataStream: 'hot_item',
  };
  const rest = { sink: undefined, kafka: undefined, index: undefined, places, installed: '1.0.0' };
  return { sidecar, ...rest, now: NOW, lossesFrom: NOW - 86_400_000 };
}

function loss(last: number) {
  return { reason: 'nginx_dropped', views: 30, first: NOW - 1_000_000, last, total: 30 };
}
