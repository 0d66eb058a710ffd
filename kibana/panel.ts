/** The query and the display of one panel. */
export type Panel = {
  /** Part of the saved object's id, so that a later import replaces it. */
  id: string;
  title: string;
  about: string;
  chart: 'number' | 'bars' | 'table';
  /** The field that splits the documents into rows or bars; absent for a single number. */
  rows?: Rows;
  /** At least one; the rows are ordered by the first. */
  metrics: [Metric, ...Metric[]];
  /** Position and size on the dashboard's grid of 48 columns. */
  place: { x: number; y: number; w: number; h: number };
};

export type Rows =
  | { by: 'term'; id: string; field: string; label: string; limit: number }
  | { by: 'time'; id: string; field: string; label: string };

export type Metric = { id: string; field: string; label: string; of: 'sum' | 'distinct'; only?: Only };

/** Filters of the documents that a metric counts, in KQL. */
type Only = string;

/** The time field of the data view. */
export const TIME_FIELD = '@timestamp';

const BY_PEOPLE: Only = 'not hot_item.kind: * and not hot_item.bot: true';
const BY_BOTS: Only = 'not hot_item.kind: * and hot_item.bot: true';
const PREFETCHES: Only = 'hot_item.kind: "prefetch"';
/** Without the test views of `hotitem doctor`. */
const OTHERS: Only = 'hot_item.kind: * and not hot_item.kind: ("prefetch" or "test")';
const NO_TEST: Only = 'not hot_item.kind: "test"';

// A sum of weights, never a count of documents: while capture samples, one document represents several views.
const WEIGHT = { field: 'hot_item.weight', of: 'sum' } as const;
const VIEWS: Metric = { id: 'views', label: 'Views', ...WEIGHT, only: BY_PEOPLE };
const BOTS: Metric = { id: 'bots', label: 'Bots', ...WEIGHT, only: BY_BOTS };
const PREFETCHED: Metric = { id: 'prefetches', label: 'Prefetched', ...WEIGHT, only: PREFETCHES };
const OTHER: Metric = { id: 'others', label: 'Other', ...WEIGHT, only: OTHERS };
const ALL: Metric = { id: 'all', label: 'All', ...WEIGHT, only: NO_TEST };
const VISITORS: Metric = {
  id: 'visitors',
  field: 'hot_item.visitor',
  label: 'Visitors',
  of: 'distinct',
  only: BY_PEOPLE,
};

/** The panels of the merchandisers' dashboard. */
export const PANELS: Panel[] = [
  {
    id: 'total-views',
    title: 'Views',
    about: 'How often people opened item pages.',
    chart: 'number',
    metrics: [VIEWS],
    place: { x: 0, y: 0, w: 12, h: 7 },
  },
  {
    id: 'visitors',
    title: 'Visitors',
    about:
      'Who opened them: distinct visitor keys, or addresses with user agents. Approximate above a few thousand.',
    chart: 'number',
    metrics: [VISITORS],
    place: { x: 0, y: 7, w: 12, h: 7 },
  },
  {
    id: 'views-over-time',
    title: 'Views over time',
    about: 'How often people opened item pages, over time.',
    chart: 'bars',
    rows: { by: 'time', id: 'time', field: TIME_FIELD, label: 'Time' },
    metrics: [VIEWS],
    place: { x: 12, y: 0, w: 36, h: 14 },
  },
  {
    id: 'top-items',
    title: 'Top items',
    about:
      'The items that people viewed most, and other requests for them: bots, prefetches, byte ranges, HEAD, other methods.',
    chart: 'table',
    rows: { by: 'term', id: 'item', field: 'hot_item.id', label: 'Item', limit: 20 },
    metrics: [VIEWS, VISITORS, BOTS, PREFETCHED, OTHER, ALL],
    place: { x: 0, y: 14, w: 48, h: 20 },
  },
  {
    id: 'no-views-over-time',
    title: 'Other requests for item pages',
    about: 'Bots, prefetches, byte ranges, HEAD, other methods, over time.',
    chart: 'bars',
    rows: { by: 'time', id: 'time', field: TIME_FIELD, label: 'Time' },
    metrics: [BOTS, PREFETCHED, OTHER],
    place: { x: 0, y: 34, w: 48, h: 12 },
  },
];
