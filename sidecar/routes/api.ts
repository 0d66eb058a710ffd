import type { CatalogueLookup } from '../../event/catalogue-item.ts';
import { json, type Reply, type Route } from '../../service/admin/admin.ts';
import { type EventIndex, IndexUnavailable, RANKINGS, type Ranking } from '../../store/event-index.ts';
import { NotAnswered, type Questions } from './questions.ts';

const UNITS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const LONGEST_WINDOW_MS = 31 * 86_400_000;
const MOST_ITEMS = 200;
const LONGEST_TEXT = 128;
const CONTROL = /\p{Cc}/u;
const RETRY_AFTER_SECONDS = '2';

export type ItemsOptions = {
  index: EventIndex | undefined;
  questions: Questions<Reply>;
  now: () => number;
  /** What the catalogue says about an item. */
  lookUp: CatalogueLookup;
};

/**
 * `GET /api/v1/items?window=5m&limit=20&rank=people&category=Shoes&search=red`: the most viewed items of a recent window, in descending
 * order, each with what the catalogue says about it now.
 */
export function createItemsRoute({ index, questions, now, lookUp }: ItemsOptions): Route {
  if (index === undefined) return noIndex;
  return async (url, asker) => {
    const query = toQuery(url);
    if ('status' in query) return query;
    const { windowMs, ...asked } = query;
    const work = (signal: AbortSignal) => rankingOf(index, query, { to: now() + 1, signal, lookUp });
    try {
      return await questions.ask({ key: JSON.stringify(asked), cost: windowMs, work }, asker);
    } catch (error) {
      if (error instanceof IndexUnavailable) return unavailable('the index is unavailable, try again');
      if (error instanceof NotAnswered) return { ...unavailable(error.message), refused: error.reason };
      throw error;
    }
  };
}

type Query = {
  window: string;
  windowMs: number;
  limit: number;
  rank: Ranking;
  category?: string;
  search?: string;
};

function toQuery({ searchParams }: URL): Query | Reply {
  const window = searchParams.get('window') ?? '5m';
  const windowMs = toMilliseconds(window);
  if (windowMs === undefined) return wrong('window', 'must be like 90s, 5m, 24h or 7d, at most 31d', window);
  const asked = searchParams.get('limit') ?? '20';
  const limit = Number(asked);
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST_ITEMS) {
    return wrong('limit', `must be a whole number from 1 to ${MOST_ITEMS}`, asked);
  }
  const ranking = searchParams.get('rank') ?? 'people';
  const rank = RANKINGS.find((known) => known === ranking);
  if (rank === undefined) return wrong('rank', `must be ${RANKINGS.join(' or ')}`, ranking);
  const category = searchParams.get('category') ?? '';
  const search = searchParams.get('search') ?? '';
  for (const [field, text] of Object.entries({ category, search }))
    if (text.length > LONGEST_TEXT || CONTROL.test(text))
      return wrong(field, `must be up to ${LONGEST_TEXT} characters, none of them a control character`, text);
  return {
    window,
    windowMs,
    limit,
    rank,
    ...(category !== '' && { category }),
    ...(search !== '' && { search }),
  };
}

/** One answer for all identical concurrent requests, as shared bytes. */
async function rankingOf(
  index: EventIndex,
  { window, windowMs, ...query }: Query,
  { to, signal, lookUp }: { to: number; signal: AbortSignal; lookUp: CatalogueLookup },
): Promise<Reply> {
  const ranked = await index.topItems({ from: to - windowMs, to, ...query }, signal);
  const items = ranked.map((one) => {
    const catalogue = lookUp(one.item);
    return catalogue === undefined ? one : { ...one, catalogue };
  });
  const { limit: _, ...said } = query;
  const reply = json(200, { window, ...said, to, items });
  return { ...reply, body: Buffer.from(reply.body) };
}

function toMilliseconds(text: string): number | undefined {
  const [, digits, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const ms = Number(digits) * (UNITS[unit ?? ''] ?? Number.NaN);
  return ms >= 1 && ms <= LONGEST_WINDOW_MS ? ms : undefined;
}

function unavailable(error: string): Reply {
  return { ...json(503, { error }), headers: { 'retry-after': RETRY_AFTER_SECONDS } };
}

function wrong(field: string, problem: string, value: string): Reply {
  return json(400, { error: `${field}: ${problem} (got ${JSON.stringify(value.slice(0, 100))})` });
}

function noIndex(): Reply {
  return json(404, { error: 'this sidecar has no index: set elasticsearch.node to show items here' });
}
