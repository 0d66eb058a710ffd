import { describe, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import type { BadLine } from '../../../../event/bad-line.ts';
import { createBotTest } from '../../../../event/bot-test.ts';
import { createEventWriter } from '../../../../event/event-writer.ts';
import { createVisitorHash } from '../../../../event/visitor.ts';
import { createMetrics } from '../../../../service/metrics.ts';
import type { ViewBatch } from '../../../../sidecar/ingest/new-views.ts';
import { createRecentIds } from '../../../../sidecar/ingest/recent-ids.ts';
import { createTakeIn, type Source, TooManyBadLines } from '../../../../sidecar/ingest/take-in.ts';
import { SIDECAR_METRICS } from '../../../../sidecar/metrics.ts';
import { line } from '../../event/lines.ts';

describe('ingesting lines', () => {
  test('keeps each event once, by whatever path and however often its line arrives', async () => {
    const { takeIn, kept, count } = create();
    await takeIn(lines(first, second), 'intake');
    await takeIn(lines(second, first), 'spill');
    expect(kept).toHaveLength(2);
    expect(count('intake_accepted_total', 'intake')).toBe(2);
    expect(count('intake_duplicates_total', 'spill')).toBe(2);
  });

  test('keeps an event once whose line a file contains twice, as if two workers of nginx had spilled it', async () => {
    const { takeIn, kept, shown, count } = create();
    expect(await takeIn(lines(first, second, first, second), 'spill')).toEqual({ lines: 4, bad: 0 });
    expect(kept).toHaveLength(2);
    expect(shown()).toEqual(['4b6e', 'ffff']);
    expect(count('intake_accepted_total', 'spill')).toBe(2);
    expect(count('intake_duplicates_total', 'spill')).toBe(2);
  });

  test('tells events apart of whose ids only a part is the same', async () => {
    const { takeIn, kept } = create();
    const alike = ['a', 'b'].map((digit) => line({ requestId: `${digit.repeat(8)}${'c'.repeat(24)}` }));
    await takeIn(lines(...alike), 'spill');
    expect(kept).toHaveLength(2);
  });

  test('keeps valid lines beside an invalid one, and sets that one aside', async () => {
    const { takeIn, kept, rejected } = create();
    expect(await takeIn(lines(first, 'nonsense', second), 'intake')).toEqual({ lines: 3, bad: 1 });
    expect(kept).toHaveLength(2);
    expect(rejected).toEqual([{ reason: 'version', field: 'version', value: 'nonsense' }]);
  });

  test('ingests a line that directly follows one that a full disk cut off', async () => {
    const { takeIn, kept, rejected } = create();
    const torn = [first.slice(0, 70), first.slice(0, 60), first.slice(0, 55)];
    expect(await takeIn(lines(torn.join('') + second), 'spill')).toEqual({ lines: 4, bad: 3 });
    expect(kept.map((json) => JSON.parse(json).id)).toEqual([expect.stringContaining('ffff')]);
    expect(rejected.map(({ reason }) => reason)).toEqual(['fields', 'fields', 'fields']);
  });

  test.each([
    ['before it', '\0'.repeat(9_000), []],
    [
      'behind a line that they cut off',
      `${line({ requestId: 'b'.repeat(32) }).slice(0, 70)}\0\0`,
      ['fields'],
    ],
    ['twice', `\0${line({ requestId: 'b'.repeat(32) }).slice(0, 70)}\0`, ['fields', 'nul']],
  ])(
    'NULs in a tailed file (a power cut) %s do not lose the valid line after them',
    async (_, nuls, reasons) => {
      const { takeIn, kept, rejected } = create();
      const taken = await takeIn(lines(nuls + second), 'log');

      expect(kept.map((json) => JSON.parse(json).id)).toEqual([expect.stringContaining('ffff')]);
      expect(rejected.map(({ reason }) => reason)).toEqual([...reasons, 'nul']);
      // Nobody knows how many lines the NULs were.
      expect(taken.lines).toBe(1 + reasons.filter((reason) => reason !== 'nul').length);
    },
  );

  test('does not treat a line as a duplicate if its first write failed', async () => {
    const { takeIn, kept, fail, count } = create();
    fail(true);
    await expect(takeIn(lines(first), 'intake')).rejects.toThrow('disk full');
    fail(false);
    await takeIn(lines(first), 'spill');
    expect(kept).toHaveLength(1);
    expect(count('intake_lines_total', 'intake')).toBe(0);
    expect(count('intake_accepted_total', 'spill')).toBe(1);
  });

  test.each<[string, () => [string[], Source], () => [string[], Source]]>([
    ['a spill file, while its post is written', () => [[first], 'intake'], () => [[second, first], 'spill']],
    ['a post, while its spill file is written', () => [[first, second], 'spill'], () => [[first], 'intake']],
    [
      'a spill file of it alone, while its post is written',
      () => [[first], 'intake'],
      () => [[first], 'spill'],
    ],
    ['a second post of it alone', () => [[first], 'intake'], () => [[first], 'intake']],
    ['a second post of many', () => [[first, second], 'intake'], () => [[second, first], 'intake']],
  ])('ingests a line once that arrives again by %s', async (_, one, other) => {
    const { takeIn, kept, fail } = create();
    await Promise.all([one(), other()].map(([some, source]) => takeIn(lines(...some), source)));
    expect(new Set(kept).size).toBe(kept.length);

    fail(true);
    const failed = takeIn(lines(third, first), 'intake');
    fail(false);
    const taken = takeIn(lines(third), 'spill');
    await expect(failed).rejects.toThrow('disk full');
    await taken;
    expect(kept.filter((json) => json.includes('dddd'))).toHaveLength(1);
  });

  test('stores nothing about a visitor that must not be stored, and marks bots', async () => {
    const { takeIn, kept } = create();
    await takeIn(lines(line({ ip: '203.0.113.7', ua: 'curl/8.5.0' })), 'intake');
    expect(JSON.parse(kept[0] ?? '')).toMatchObject({ ip: '203.0.113.0', bot: true });
    expect(kept[0]).not.toMatch(/203\.0\.113\.7|curl/);
  });

  test('ingests lines that are copied and lines that are decoded', async () => {
    const { takeIn, kept, count } = create({ full: true });
    const odd = line({ requestId: 'e'.repeat(32), uri: '/web/item/%34.html' });
    expect(await takeIn(lines(first, odd, '', 'nonsense', second, first), 'intake')).toEqual({
      lines: 5,
      bad: 1,
    });
    await takeIn(lines(first), 'spill');
    const views = kept
      .map((json) => JSON.parse(json))
      .map(({ id, uri, ip }) => ({ id: id.slice(12, 16), uri, ip }));
    expect(views.slice(0, 3)).toEqual([
      { id: '4b6e', uri: '/web/item/4711.html', ip: '203.0.113.7' },
      { id: 'eeee', uri: '/web/item/4.html', ip: '203.0.113.7' },
      { id: 'ffff', uri: '/web/item/4711.html', ip: '203.0.113.7' },
    ]);
    expect(count('intake_duplicates_total', 'spill')).toBe(1);
  });

  test('splits a torn line only in a file', async () => {
    const torn = first.slice(0, 70) + second;
    expect(await create().takeIn(lines(torn), 'intake')).toEqual({ lines: 1, bad: 0 });
    expect(await create().takeIn(lines(torn), 'spill')).toEqual({ lines: 2, bad: 1 });
  });

  test('ingests a line without a newline at its end', async () => {
    const { takeIn, kept } = create({ full: true });
    await takeIn(Buffer.from(first, 'latin1'), 'log');
    expect(kept).toHaveLength(1);
  });

  test('keeps a weighted sample while the spool fills, and counts what it drops', async () => {
    const { takeIn, kept, count } = create({ full: true, oneIn: 4 });
    const many = Array.from({ length: 4000 }, (_, i) => line({ requestId: requestId(i), version: '2/10' }));
    expect(await takeIn(lines(...many), 'intake')).toEqual({ lines: 4000, bad: 0 });
    expect(kept.length).toBeGreaterThan(800);
    expect(kept.every((json) => JSON.parse(json).weight === 40)).toBe(true);
    expect(count('intake_sampled_out_total', 'intake')).toBe(4000 - kept.length);
    expect(count('intake_accepted_total', 'intake')).toBe(kept.length);
    await takeIn(lines(...many), 'spill');
    expect(count('intake_duplicates_total', 'spill')).toBe(4000);
  });

  test('reads bytes that are not UTF-8', async () => {
    const { takeIn, kept } = create();
    await takeIn(Buffer.from(`${line({ ref: 'caf\xc3\xa9 \xff' })}\n`, 'latin1'), 'intake');
    expect(JSON.parse(kept[0] ?? '').ref).toBe('café \uFFFD');
  });
});

const first = line({});
const second = line({ requestId: 'f'.repeat(32) });
const third = line({ requestId: 'd'.repeat(32) });

function lines(...texts: string[]): Buffer {
  return Buffer.from(texts.map((text) => `${text}\n`).join(''), 'latin1');
}

function requestId(i: number): string {
  return (Math.imul(i, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0').repeat(4);
}

type IntakeTotal =
  | 'intake_lines_total'
  | 'intake_accepted_total'
  | 'intake_duplicates_total'
  | 'intake_sampled_out_total';

type Created = { full?: boolean; oneIn?: number };

/** By default an address is cut and no user agent kept. */
function create({ full = false, oneIn = 1 }: Created = {}) {
  const metrics = createMetrics(new Registry(), SIDECAR_METRICS);
  const kept: string[] = [];
  const rejected: BadLine[] = [];
  const shown: string[] = [];
  let failing = false;
  const takeIn = createTakeIn({
    recent: createRecentIds(),
    writer: createEventWriter({
      node: 'web-1',
      hashVisitor: createVisitorHash(),
      isBot: createBotTest(),
      ip: { mode: full ? 'full' : 'truncate' },
      omit: full ? [] : ['ua'],
    }),
    shedding: { step: () => 0, extent: () => ({ oneIn, bare: false }) },
    keep: async ({ bytes, count }) => {
      if (failing) throw new Error('disk full');
      const texts = bytes.toString().split('\n').slice(0, -1);
      expect(texts).toHaveLength(count);
      kept.push(...texts);
    },
    newViews: { begin },
    reject: (bad) => rejected.push(bad),
    metrics,
  });
  return {
    takeIn,
    kept,
    /** What counts of them: the first digits of their ids. */
    shown: () => shown,
    rejected,
    fail: (state: boolean) => {
      failing = state;
    },
    count: (name: IntakeTotal, from: string) => metrics.of(name, { from }).value(),
  };

  function begin(): ViewBatch {
    let batch: string[] = [];
    return {
      add: (view) => batch.push(view.lines().toString('latin1', view.idAt(), view.idAt() + 4)),
      clear() {
        batch = [];
      },
      count: () => shown.push(...batch),
      drop() {},
    };
  }
}

describe('lines that are not events', () => {
  test.each([
    ['of two bytes', 'x\n'],
    ['that are empty', '\n'],
  ])('%s: more of them than nginx ever posts are rejected, and nothing with them is kept', async (_, bad) => {
    const { takeIn, kept, rejected, count } = create();
    await expect(takeIn(Buffer.from(`${first}\n${bad.repeat(1_001)}${second}\n`), 'intake')).rejects.toThrow(
      TooManyBadLines,
    );
    expect([kept, rejected, count('intake_lines_total', 'intake')]).toEqual([[], [], 0]);
    expect(await takeIn(lines(first), 'intake')).toEqual({ lines: 1, bad: 0 });
  });

  test('in a post of nginx are all counted and shown', async () => {
    const { takeIn, rejected } = create();
    expect(await takeIn(Buffer.from('x\n'.repeat(1_000)), 'intake')).toEqual({ lines: 1_000, bad: 1_000 });
    expect(rejected).toHaveLength(1_000);
  });

  test('in a file are all counted, and some are shown', async () => {
    const { takeIn, kept, rejected } = create();
    const taken = await takeIn(Buffer.from(`${'x\n'.repeat(100_000)}${first}\n`), 'spill');
    expect(taken).toEqual({ lines: 100_001, bad: 100_000 });
    expect([kept.length, rejected.length]).toEqual([1, 1_000]);
  });
});

describe('new views are passed to observers', () => {
  test('once, by whatever path and however often their line arrives', async () => {
    const { takeIn, shown } = create();
    await takeIn(lines(first, second), 'intake');
    await takeIn(lines(second, third, first), 'spill');
    await takeIn(lines(first, second, third), 'log');
    expect(shown()).toEqual(['4b6e', 'ffff', 'dddd']);
  });

  test('once, if a post and a spill file with the same views are written at the same time', async () => {
    const { takeIn, shown } = create();
    await Promise.all([takeIn(lines(first), 'intake'), takeIn(lines(second, first), 'spill')]);
    expect(shown().sort()).toEqual(['4b6e', 'ffff']);
  });

  test('if their write succeeded, not if it failed', async () => {
    const { takeIn, shown, fail } = create();
    fail(true);
    await expect(takeIn(lines(first), 'intake')).rejects.toThrow('disk full');
    expect(shown()).toEqual([]);
    fail(false);
    await takeIn(lines(first), 'spill');
    expect(shown()).toEqual(['4b6e']);
  });

  test('before redaction and sampling: all of them, with their visitors', async () => {
    const { takeIn, shown, kept } = create({ oneIn: 64 });
    const many = Array.from({ length: 1_000 }, (_, i) => line({ requestId: requestId(i) }));
    await takeIn(lines(...many), 'intake');
    expect(kept.length).toBeLessThan(100);
    expect(shown()).toHaveLength(1_000);
  });

  test('not from a request that is rejected', async () => {
    const { takeIn, shown } = create();
    await expect(takeIn(Buffer.from(`${first}\n${'x\n'.repeat(1_001)}`), 'intake')).rejects.toThrow(
      TooManyBadLines,
    );
    expect(shown()).toEqual([]);
  });
});
