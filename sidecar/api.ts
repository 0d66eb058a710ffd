import { json, type Reply, type Route } from '../service/admin.ts';
import { type EventIndex, IndexUnavailable, RANKINGS } from '../store/event-index.ts';

const UNITS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const LONGEST_WINDOW_MS = 31 * 86_400_000;
const MOST_ITEMS = 200;

/** `GET /api/v1/items?window=5m&limit=20&rank=people`: the most viewed items of the last while, most viewed first. */
export function createItemsRoute(index: EventIndex | undefined, now: () => number): Route {
  return async (url) => {
    if (index === undefined) return noIndex();
    const window = url.searchParams.get('window') ?? '5m';
    const windowMs = toMilliseconds(window);
    if (windowMs === undefined)
      return wrong('window', 'must be like 90s, 5m, 24h or 7d, at most 31d', window);
    const asked = url.searchParams.get('limit') ?? '20';
    const limit = Number(asked);
    if (!Number.isInteger(limit) || limit < 1 || limit > MOST_ITEMS) {
      return wrong('limit', `must be a whole number from 1 to ${MOST_ITEMS}`, asked);
    }
    const ranking = url.searchParams.get('rank') ?? 'people';
    const rank = RANKINGS.find((known) => known === ranking);
    if (rank === undefined) return wrong('rank', `must be ${RANKINGS.join(' or ')}`, ranking);
    const to = now() + 1;
    try {
      const items = await index.topItems({ from: to - windowMs, to, limit, rank });
      return json(200, { window, rank, to, items });
    } catch (error) {
      if (error instanceof IndexUnavailable) return json(503, { error: 'the index is away, try again' });
      throw error;
    }
  };
}

function toMilliseconds(text: string): number | undefined {
  const [, digits, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const ms = Number(digits) * (UNITS[unit ?? ''] ?? Number.NaN);
  return ms >= 1 && ms <= LONGEST_WINDOW_MS ? ms : undefined;
}

function wrong(field: string, problem: string, value: string): Reply {
  return json(400, { error: `${field}: ${problem} (got ${JSON.stringify(value.slice(0, 100))})` });
}

function noIndex(): Reply {
  return json(404, { error: 'this sidecar knows no index: set elasticsearch.node to show items here' });
}
