import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Registry } from 'prom-client';
import { createBacktest } from '../../../detect/backtest.ts';
import type { Change, Decision } from '../../../detect/decisions.ts';
import { fromLine } from '../../../event/from-line.ts';
import { createLine } from '../../../event/line.ts';
import { parse } from '../../../event/parse.ts';
import { createPastEvent } from '../../../event/past-view.ts';
import { type HeatService, type HeatServiceOptions, startHeat } from '../../../heat/heat.ts';
import { HEAT_METRICS } from '../../../heat/metrics.ts';
import type { RulesFile } from '../../../heat/rules-schema.ts';
import { createMetrics } from '../../../service/metrics.ts';
import { FULL } from '../../parts/full.ts';
import { temporaryFolder } from '../../parts/guard.ts';
import { line } from '../event/lines.ts';

const START = 1_795_355_710_000;
/** Views in ten seconds that make an item busy: 20/s. */
const HOT = 200;
const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0';
const SAID = { reason: 'campaign', by: 'alice' };

/** Its hashes have keys of their own. */
const reader = createLine();

let folder: ReturnType<typeof temporaryFolder>;
let time: number;
let warned: string[];
let held: Decision[];
let reloaded: RulesFile[];
let running: HeatService | undefined;
let metrics: ReturnType<typeof createMetrics<typeof HEAT_METRICS>>;

beforeEach(() => {
  folder = temporaryFolder('heat');
  time = START;
  warned = [];
  held = [];
  reloaded = [];
});
afterEach(async () => {
  await stop();
  folder.remove();
});

describe('the rules of a catalogue', () => {
  test('bar what it does not have, from when it is loaded on; while there is none, they bar nothing', async () => {
    writeFileSync(join(folder.path, 'rules.yml'), 'rules: [{ catalogue_only: true }]\n');
    let names: Map<string, { name: string }> | undefined;
    const lookUp = (item: string) => names?.get(item);
    const has = (item: string) => lookUp(item) !== undefined;
    const items = () => (names === undefined ? undefined : { has, categoryOf: () => undefined });
    const heat = await start({ rules: join(folder.path, 'rules.yml'), catalogue: { items, lookUp } });
    view(heat, 'shoe', HOT);
    view(heat, '404', HOT);
    expect(hotNames(heat)).toEqual([
      ['shoe', undefined],
      ['404', undefined],
    ]);

    names = new Map([['shoe', { name: 'A shoe' }]]);
    heat.useCatalogue();
    expect(hotNames(heat)).toEqual([['shoe', { name: 'A shoe' }]]);
    view(heat, 'scan', HOT);
    expect(hotNames(heat)).toEqual([['shoe', { name: 'A shoe' }]]);
    expect(heat.live('a').items).toMatchObject([{ item: 'shoe', catalogue: { name: 'A shoe' } }]);
    expect(heat.live('a').happened.at(-1)).toMatchObject({ item: '404', change: 'leaves' });
    expect(heat.live('a').happened.at(0)).toMatchObject({ item: 'shoe', name: 'A shoe' });
    await heat.command({ do: 'pin', item: 'scan', ...SAID });
    expect(hotNames(heat).map(([item]) => item)).toEqual(['shoe', 'scan']);
  });
});

function hotNames(heat: HeatService) {
  return heat.list().hot.map(({ item, catalogue }) => [item, catalogue]);
}

describe('heat detection in a sidecar', () => {
  test('reports an item within the batch that decides, with its reason, to nginx, programs and monitoring', async () => {
    const heat = await start();
    view(heat, '4711', HOT);
    expect(heat.list().hot).toMatchObject([
      {
        item: '4711',
        signal: 'busy',
        actions: ['announce', 'cache'],
        reason: expect.stringMatching(/^20 views\/s over 10 s/),
        rule: 'default',
      },
    ]);
    expect(hotFiles()).toContain('i.4711');
    expect(metrics.of('hot_items', { signal: 'busy' }).value()).toBe(1);
    expect(metrics.of('heat_decisions_total', { signal: 'busy', change: 'enters' }).value()).toBe(1);
    expect(metrics.of('heat_observed_total').value()).toBe(HOT);
  });

  test('does not report an item with fewer views', async () => {
    const heat = await start();
    view(heat, '4711', HOT - 1);
    expect(heat.list().hot).toEqual([]);
    expect(hotFiles()).toEqual([]);
  });

  test('answers clients that wait for a change; the version differs after a restart', async () => {
    const heat = await start();
    const { version } = heat.list();
    const changed = heat.changed(version, new AbortController().signal);
    view(heat, '4711', HOT);
    await changed;
    expect(heat.list().version).toBeGreaterThan(version);
    const last = heat.list().version;
    const again = await restart();
    expect(again.list().version).toBeGreaterThan(last);
  });

  test('keeps hot items over a restart, and nginx sees them again', async () => {
    view(await start(), '4711', HOT);
    const again = await restart();
    expect(again.list().hot).toMatchObject([{ item: '4711', signal: 'busy' }]);
    expect(hotFiles()).toContain('i.4711');
  });

  test('does not keep items that were hot before a long break', async () => {
    view(await start(), '4711', HOT);
    await stop();
    time += 3_600_000;
    expect((await start()).list().hot).toEqual([]);
  });

  test.each(['{"format":1', '[]', '\0\0'])(
    'starts empty if its file contains %j, and logs it',
    async (text) => {
      const first = await start();
      await first.command({ do: 'pin', item: '1', ...SAID });
      const { version } = first.list();
      await stop();
      writeFileSync(join(folder.path, 'heat.json'), text);
      time += 1_000;
      const heat = await start();
      expect(heat.list().version).toBeGreaterThan(version);
      expect(heat.list().hot).toEqual([]);
      expect(warned).toEqual(['hot items, pins and bans from before the restart are lost']);
      expect(readFileSync(join(folder.path, 'heat.json.damaged'), 'utf8')).toBe(text);
    },
  );
});

describe('overrides', () => {
  test('a pin makes an item hot, a ban overrides it, and clear removes both', async () => {
    const heat = await start();
    await heat.command({ do: 'pin', item: '4711', ...SAID });
    expect(heat.list().hot).toMatchObject([{ item: '4711', signal: 'pin', reason: 'campaign' }]);
    expect(hotFiles()).toContain('i.4711');
    await heat.command({ do: 'ban', item: '4711', ...SAID, reason: 'sold out' });
    expect(heat.list().hot).toEqual([]);
    expect(hotFiles()).toEqual([]);
    view(heat, '4711', 300);
    expect(heat.list().hot).toEqual([]);
    await heat.command({ do: 'clear', item: '4711', ...SAID });
    pass(heat, 100);
    view(heat, '4711', 1);
    expect(heat.list().hot).toMatchObject([{ signal: 'busy' }]);
  });

  test('a temporary pin starts and ends by itself', async () => {
    const heat = await start();
    await heat.command({ do: 'pin', item: '4711', from: time + 5_000, until: time + 9_000, ...SAID });
    expect(heat.list().hot).toEqual([]);
    pass(heat, 5_000);
    expect(heat.list().hot).toMatchObject([{ item: '4711', until: START + 9_000 }]);
    pass(heat, 4_000);
    expect(heat.list().hot).toEqual([]);
  });

  test('pins and bans survive a restart', async () => {
    const heat = await start();
    await heat.command({ do: 'pin', item: '1', ...SAID });
    await heat.command({ do: 'ban', item: '2', ...SAID });
    const again = await restart();
    view(again, '2', 300);
    expect(again.list().hot.map(({ item }) => item)).toEqual(['1']);
    expect(again.whole().overrides).toMatchObject([
      { kind: 'pin', item: '1', by: 'alice' },
      { kind: 'ban', item: '2', by: 'alice' },
    ]);
  });

  test('freeze empties the folder at once and survives a restart; hot items are still known', async () => {
    const heat = await start();
    view(heat, '4711', HOT);
    const frozen = heat.command({ do: 'freeze', ...SAID });
    expect(hotFiles()).toEqual([]);
    await frozen;
    view(heat, '0815', HOT);
    const again = await restart();
    expect(hotFiles()).toEqual([]);
    expect(again.list().hot).toHaveLength(2);
    expect(again.whole().frozen).toMatchObject({ by: 'alice', reason: 'campaign' });
    await again.command({ do: 'thaw', ...SAID });
    expect(hotFiles()).toEqual(expect.arrayContaining(['i.4711', 'i.0815']));
  });

  test('every change is in the audit log, with user and reason', async () => {
    const heat = await start();
    view(heat, '4711', HOT);
    const commands: Parameters<HeatService['command']>[0][] = [
      { do: 'pin', item: '1', ...SAID },
      { do: 'ban', item: '4711', ...SAID },
      { do: 'clear', item: '1', ...SAID },
      { do: 'freeze', ...SAID },
      { do: 'thaw', ...SAID },
    ];
    for (const command of commands) await heat.command(command);
    await stop();
    const entries = readFileSync(join(folder.path, 'heat-audit.ndjson'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((text) => JSON.parse(text))
      .map(({ who, what, item }) => [who, what, item]);
    expect(entries).toEqual([
      ['rule default', 'enters', '4711'],
      ['alice', 'pin', '1'],
      ['alice', 'enters', '1'],
      ['alice', 'ban', '4711'],
      ['alice', 'leaves', '4711'],
      ['alice', 'clear', '1'],
      ['alice', 'leaves', '1'],
      ['alice', 'freeze', undefined],
      ['alice', 'thaw', undefined],
    ]);
  });
});

describe('the file of rules', () => {
  test('announces campaigns, excludes items, and makes dry-run decisions that nginx does not see', async () => {
    const rules = writeRules(`
rules:
  - { name: trial, items: ["t-*"], dry_run: true }
  - { items: ["never"], hot: false }
  - { name: quick, items: ["q"], busy: { enter_views_per_second: 6 } }
pins: [{ item: tv, reason: sale }]
bans: [{ item: b, reason: a test page }]
`);
    const heat = await start({ rules });
    for (const item of ['t-1', 'never', 'b']) view(heat, item, 300);
    view(heat, 'q', 61);
    expect(heat.list().hot.map(({ item, signal, rule, dryRun }) => [item, signal, rule, dryRun])).toEqual([
      ['tv', 'pin', 'default', false],
      ['t-1', 'busy', 'trial', true],
      ['q', 'busy', 'quick', false],
    ]);
    expect(hotFiles().sort()).toEqual(['i.q', 'i.tv']);
  });

  test('a pin applies when the ban of its item has ended, and nothing names the ban any more', async () => {
    const soon = new Date(time + 1_000).toISOString();
    const item = 'item: tv';
    const heat = await start({
      rules: writeRules(
        `pins: [{ ${item}, reason: sale }]\nbans: [{ ${item}, until: "${soon}", reason: not yet }]`,
      ),
    });
    pass(heat, 500);
    expect(heat.list().hot).toEqual([]);
    pass(heat, 1_000);
    expect(heat.list().hot).toMatchObject([{ item: 'tv', signal: 'pin', reason: 'sale' }]);
    expect(heat.whole().overrides).toMatchObject([{ kind: 'pin', item: 'tv' }]);
  });

  test('applies when it has changed; an invalid one is reported and changes nothing', async () => {
    const rules = writeRules('pins: [{ item: tv, reason: sale }]');
    const heat = await start({ rules });
    writeRules('pins: [{ item: radio, reason: sale }]\nrules: [{ hot: false }]');
    await heat.readRules();
    await heat.readRules();
    expect(heat.list().hot.map(({ item }) => item)).toEqual(['radio']);
    expect(reloaded.map(({ pins }) => pins.map(({ item }) => item))).toEqual([['radio']]);
    writeRules('pins: none');
    await heat.readRules();
    await heat.readRules();
    expect(heat.list().hot.map(({ item }) => item)).toEqual(['radio']);
    expect(heat.state().rulesProblems).toEqual([expect.stringMatching(/^pins: /)]);
    expect(metrics.of('heat_rules_rejected').value()).toBe(1);
    expect(reloaded).toHaveLength(1);
  });

  test('with a lower cap, what it holds back is told once, with its reason, and is in the audit log', async () => {
    const heat = await start({ rules: writeRules('cap: 1') });
    view(heat, 'first', 2 * HOT);
    for (let i = 0; i < 5; i++) {
      view(heat, 'second', HOT);
      pass(heat, 300);
    }
    expect(held.map(({ item, signal, reason }) => [item, signal, reason])).toEqual([
      ['second', 'busy', expect.stringMatching(/^20 views\/s over 10 s/)],
    ]);
    expect(heat.list().hot.map(({ item }) => item)).toEqual(['first']);
    expect(metrics.of('heat_decisions_total', { signal: 'busy', change: 'held' }).value()).toBe(1);
    await stop();
    const audit = readFileSync(join(folder.path, 'heat-audit.ndjson'), 'utf8').trimEnd().split('\n');
    expect(audit.map((text) => JSON.parse(text))).toContainEqual(
      expect.objectContaining({ who: 'rule default', what: 'held', item: 'second', signal: 'busy' }),
    );
  });
});

describe('a backtest of the same events', () => {
  const batch = fc.record({
    item: fc.constantFrom('a', 'b', 'c'),
    /** Two at least: whether a single one is remembered until the next comes depends on the keys of hashes. */
    count: fc.integer({ min: 2, max: 150 }),
    /** Ticks of 100 ms since the batch before. */
    ticks: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 300 })),
    lateMs: fc.oneof(fc.constant(0), fc.constant(0), fc.nat(15_000), fc.nat(400_000)),
    visitors: fc.constantFrom(1, 5, 250),
    ua: fc.constantFrom(BROWSER, BROWSER, 'Googlebot/2.1 (+http://www.google.com/bot.html)'),
  });

  /** Twice, and three minutes have passed: what is usual is known. */
  const USUAL = { item: 'usual', count: 40, ticks: 1_900, lateMs: 0, visitors: 20, ua: BROWSER };

  test('finds what the sidecar decided, when and why', async () => {
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.array(batch, { minLength: 5, maxLength: 30 }), async (batches) => {
        time = START;
        const decided = createDecided();
        const heat = await start({ onChange: decided.onChange });
        const lines: string[] = [];
        for (const { item, count, ticks, lateMs, visitors, ua } of [USUAL, USUAL, ...batches]) {
          if (lines.length > 0) pass(heat, 100 * ticks);
          // Not late, so that both know the time.
          const texts = [1, 2].map((i) => lineOf(lines.length + i, { item: 'other', ua: BROWSER }));
          for (let i = 1; i <= count; i++) {
            const ip = `198.51.100.${i % visitors}`;
            texts.push(lineOf(lines.length + 2 + i, { item, ua, ip, msec: msecOf(time - lateMs) }));
          }
          lines.push(...texts);
          ingest(heat, texts);
        }
        await stop();
        folder.remove();
        folder = temporaryFolder('heat');
        for (const { signal } of decided.all) seen.add(signal);
        expect(backtestOf(lines).map(inWords)).toEqual(decided.all.map(inWords));
      }),
      { numRuns: FULL ? 5 : 2, seed: 4, endOnFailure: true },
    );
    expect([...seen].sort()).toEqual(['busy', 'concentrated', 'surge']);
  });

  /** Without the numbers of the reason: who is new is estimated by hashes, whose keys are others in another process. */
  function inWords({ reason, ...decided }: Decided): Decided {
    return { ...decided, reason: reason.replaceAll(/[\d.,]+/g, '…') };
  }

  function lineOf(number: number, changes: Parameters<typeof line>[0]): string {
    const requestId = number.toString(16).padStart(20, '0').padEnd(32, '0');
    return line({ msec: msecOf(time), requestId, ...changes });
  }
});

describe('failures', () => {
  test('a folder that cannot be created is reported, and items are hot all the same', async () => {
    mkdirSync(join(folder.path, 'hot'));
    writeFileSync(join(folder.path, 'hot', 'something else'), '');
    const heat = await start();
    view(heat, '4711', HOT);
    expect(heat.list().hot).toHaveLength(1);
    expect(heat.whole().failure).toContain('something else');
  });

  test('an item that cannot be a file is hot, and the reason why nginx does not see it is reported', async () => {
    const heat = await start();
    view(heat, 'a/b', HOT);
    expect(heat.list().hot).toMatchObject([
      { item: 'a/b', problem: 'cannot be acted on: its name holds a slash' },
    ]);
  });

  test('an old spill makes nothing hot, and is counted', async () => {
    const heat = await start();
    view(heat, '4711', 500, { msec: msecOf(time - 3_600_000) });
    expect(heat.list().hot).toEqual([]);
    expect(metrics.of('heat_late_total').value()).toBe(500);
  });
});

type StartOptions = Partial<Pick<HeatServiceOptions, 'onChange' | 'catalogue'>> & { rules?: string };

async function start({ rules, onChange, catalogue }: StartOptions = {}): Promise<HeatService> {
  metrics = createMetrics(new Registry(), HEAT_METRICS);
  running = await startHeat({
    config: { dir: join(folder.path, 'hot'), rules, cap: 100 },
    home: folder.path,
    node: 'web-1',
    gid: undefined,
    metrics,
    warn: (_key, message) => void warned.push(message),
    now: () => time,
    ticks: false,
    onChange,
    catalogue,
    onHeld: (one) => void held.push(one),
    onRules: (rules) => void reloaded.push(rules),
  });
  return running;
}

type Decided = { item: string; signal: string; since: number; until: number | undefined; reason: string };

/** From changes of the service to what a backtest tells. */
function createDecided() {
  const all: Decided[] = [];
  return {
    all,
    onChange({ change, item, signal, since, reason }: Change) {
      if (change === 'enters') all.push({ item, signal, since, until: undefined, reason });
      const one = all.findLast((known) => known.item === item && known.signal === signal);
      if (change === 'leaves' && one !== undefined) one.until = time;
    },
  };
}

/** What a backtest tells of the events that these lines become. */
function backtestOf(lines: string[]): Decided[] {
  const event = createPastEvent((value) => parse(value.toString()));
  const backtest = createBacktest({ wordsOf: event.wordsOf });
  for (const text of lines) {
    const bytes = Buffer.from(JSON.stringify(fromLine(text, 'web-1')));
    event.read(bytes, 0, bytes.length);
    backtest.observe(event);
  }
  return backtest
    .finish()
    .spells.map(({ item, signal, since, until, reason }) => ({ item, signal, since, until, reason }));
}

async function stop(): Promise<void> {
  await running?.close();
  running = undefined;
}

async function restart(): Promise<HeatService> {
  await stop();
  return start();
}

/** So many views of an item in one call of the intake, each by a visitor of its own. */
function view(
  heat: HeatService,
  item: string,
  count: number,
  changes: Parameters<typeof line>[0] = {},
): void {
  const msec = msecOf(time);
  const texts = Array.from({ length: count }, (_, i) =>
    line({ item, msec, ua: BROWSER, ip: `198.51.${i >> 8}.${i & 255}`, ...changes }),
  );
  ingest(heat, texts);
}

/** Passes lines of nginx in one call, as the intake does. */
function ingest(heat: HeatService, texts: string[]): void {
  const bytes = Buffer.from(texts.map((text) => `${text}\n`).join(''), 'latin1');
  const batch = heat.newViews.begin(bytes);
  for (let at = 0; at < bytes.length; at = reader.lineEnd() + 1) {
    if (!reader.read(bytes, at)) throw new Error(JSON.stringify(reader.bad()));
    batch.add(reader);
  }
  batch.count();
}

/** As nginx writes it. */
function msecOf(ms: number): string {
  return `${Math.floor(ms / 1_000)}.${String(ms % 1_000).padStart(3, '0')}`;
}

function pass(heat: HeatService, ms: number): void {
  for (const end = time + ms; time < end; ) {
    time += 100;
    heat.tick();
  }
}

function writeRules(text: string): string {
  const path = join(folder.path, 'rules.yml');
  writeFileSync(path, text);
  return path;
}

/** That nginx looks for now, of all hot items. */
function hotFiles(): string[] {
  const period = String(Math.floor(time / 10_000));
  try {
    return readdirSync(join(folder.path, 'hot', period, 'hot'));
  } catch {
    return [];
  }
}
