import type { ItemViews, PastDecision } from '../store/event-questions.ts';
import { endOf, periodsOf, REPEATED_MS } from '../store/hot-periods.ts';
import type { AskableQuestions } from '../store/question-shapes.ts';
import { heldBack } from './held-back.ts';
import { intervalOf } from './intervals.ts';
import {
  type CachedSpan,
  joinSpans,
  type MergedPeriod,
  mergePeriods,
  mostAtOnce,
  type Span,
} from './merge-periods.ts';
import type { Report, ReportPeriod, ReportViews } from './report.ts';

/*
 * What the index knows of a time. Bounded: so many items, periods and decisions, and one question at a time, since others ask too.
 */

export type FromIndex = Pick<Report, 'totals' | 'curve' | 'items' | 'categories' | 'held'> & {
  saved: Omit<Report['saved'], 'counted'>;
  periods: Omit<Report['periods'], 'cap'>;
  /** Decisions before this time were not read: there are too many. */
  decisionsFrom?: number;
};

export type FromIndexOptions = {
  questions: AskableQuestions;
  range: Span;
  /** Between two refreshes of a page that is cached, at most. */
  refreshMs: number;
  /** What the catalogue says. */
  lookUp: (item: string) => { name?: string; category?: string } | undefined;
  /** How many questions are answered, of about how many. */
  onAnswer: (done: number, of: number) => void;
};

type Measured = Pick<ReportPeriod, 'people' | 'all' | 'most'>;

/** Of the curve. */
export const MOST_POINTS = 300;
const MOST_ITEMS = 50;
const MOST_CATEGORIES = 30;
const MOST_PERIODS = 200;
const MOST_HELD = 100;
const DECISIONS_AT_ONCE = 5_000;
const MOST_DECISIONS = 100_000;
/** Largest number of intervals in the time line of one period. */
const MOST_STEPS = 10_000;
const RATE_MS = 10_000;
/** Before the periods: totals, curve, items, categories, decisions. */
const QUESTIONS = 5;

export async function fromIndex(options: FromIndexOptions): Promise<FromIndex> {
  const { questions, range, refreshMs, lookUp, onAnswer } = options;
  const { from, to } = range;
  let [answered, expected] = [0, QUESTIONS];
  const { views: people, ...totals } = await counted(questions.totals(range));
  const stepMs = intervalOf(to - from, MOST_POINTS);
  const curve = { stepMs, ...(await counted(questions.timeLine({ ...range, stepMs }))) };
  const items = await counted(questions.topItems({ ...range, limit: MOST_ITEMS }));
  const categories = await counted(questions.topCategories({ ...range, limit: MOST_CATEGORIES }));
  const { decisions, since } = await counted(readDecisions(questions, range));
  const hot = periodsOf(decisions, { ...range, limit: MOST_DECISIONS });
  const merged = mergePeriods(hot, to);
  const list = strongest(merged);
  expected += list.length;
  const known = new Map<string, Promise<Measured>>();
  const measured: ReportPeriod[] = [];
  for (const period of list) measured.push(await measure(period));
  const atMost = await savedByAll(list);
  const held = heldBack(decisions, range);
  return {
    totals: { people, ...totals },
    curve,
    periods: { list: measured, more: merged.length - list.length, mostAtOnce: mostAtOnce(hot, to) },
    saved: { atMost, refreshMs },
    items: items.map((one) => ({ item: one.item, ...lookUp(one.item), ...viewsOf(one) })),
    categories: categories.map((one) => ({ category: one.category, ...viewsOf(one) })),
    held: { list: held.slice(0, MOST_HELD).map(named), more: Math.max(0, held.length - MOST_HELD) },
    ...(since !== undefined && { decisionsFrom: since }),
  };

  async function counted<Answer>(asked: Promise<Answer>): Promise<Answer> {
    const answer = await asked;
    onAnswer(++answered, Math.max(expected, answered));
    return answer;
  }

  async function measure({
    viewsPerSecond: _,
    visitors: __,
    cached,
    ...period
  }: MergedPeriod): Promise<ReportPeriod> {
    const { people, all, most } = await viewsIn(period.item, spanOf(period.since, endOf(period, to)));
    const savedAtMost = cached.length === 0 ? undefined : await savedBy(period.item, cached);
    return {
      ...named(period),
      people,
      all,
      most,
      ...(savedAtMost !== undefined && { savedAtMost }),
    };
  }

  /** Asked once: most items have one period, and it is their only time in the cache. */
  function viewsIn(item: string, span: Span): Promise<Measured> {
    const key = JSON.stringify([item, span.from, span.to]);
    const asked = known.get(key) ?? askViewsIn(item, span);
    known.set(key, asked);
    return asked;
  }

  async function askViewsIn(item: string, span: Span): Promise<Measured> {
    const stepMs = intervalOf(span.to - span.from, MOST_STEPS, RATE_MS);
    const line = await counted(questions.timeLine({ ...span, item, stepMs }));
    const perSecond = (Math.max(0, ...line.all) * 1_000) / stepMs;
    return { people: sum(line.people), all: sum(line.all), most: { perSecond, overMs: stepMs } };
  }

  /** Counts each view once, also if two signals had its item cached at once. */
  async function savedByAll(periods: MergedPeriod[]): Promise<number> {
    let saved = 0;
    for (const item of new Set(periods.map((period) => period.item)))
      saved += await savedBy(
        item,
        periods.flatMap((period) => (period.item === item ? period.cached : [])),
      );
    return saved;
  }

  /** Each node refreshes its own copy. */
  async function savedBy(item: string, cached: CachedSpan[]): Promise<number> {
    let views = 0;
    for (const span of joinSpans(cached.map((one) => spanOf(one.from, one.to))))
      views += (await viewsIn(item, span)).all;
    const refreshed = [...new Set(cached.map(({ node }) => node))].flatMap((node) =>
      joinSpans(
        cached
          .filter((one) => one.node === node && one.refreshedTo > from)
          .map((one) => spanOf(one.from, one.refreshedTo)),
      ),
    );
    return views - sum(refreshed.map((span) => Math.floor((span.to - span.from) / refreshMs)));
  }

  function spanOf(since: number, until: number): Span {
    const begin = Math.max(from, since);
    return { from: begin, to: Math.max(begin + 1, Math.min(to, until)) };
  }

  function named<One extends { item: string }>(one: One): One & { name?: string } {
    const name = lookUp(one.item)?.name;
    return name === undefined ? one : { ...one, name };
  }
}

function viewsOf({ views, all, visitors, estimated }: Omit<ItemViews, 'item'>): ReportViews {
  return { people: views, all, visitors, ...(estimated && { estimated }) };
}

/** All of the range and of the day before it: what is hot at its beginning was told within that time. The latest first. */
async function readDecisions(
  questions: AskableQuestions,
  { from, to }: Span,
): Promise<{ decisions: PastDecision[]; since?: number }> {
  const found: PastDecision[] = [];
  let end = to;
  for (let asked = 0; asked < MOST_DECISIONS; asked += DECISIONS_AT_ONCE) {
    const query = { from: from - REPEATED_MS, to: end, limit: DECISIONS_AT_ONCE };
    const { decisions, oldest } = await questions.pastDecisions(query);
    if (oldest === undefined) return { decisions: [...found, ...decisions] };
    // Others of the same moment may be left: they are asked for again, and all of them.
    found.push(...decisions.filter(({ time }) => time > oldest));
    // More of one moment than are answered at once.
    if (oldest + 1 === end) break;
    end = oldest + 1;
  }
  return { decisions: found, since: end };
}

/** The periods that are listed, in the order of their beginning. */
function strongest(periods: MergedPeriod[]): MergedPeriod[] {
  if (periods.length <= MOST_PERIODS) return periods;
  return periods
    .toSorted((a, b) => (b.viewsPerSecond ?? 0) - (a.viewsPerSecond ?? 0))
    .slice(0, MOST_PERIODS)
    .sort((a, b) => a.since - b.since);
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
