import { ALL, BOTS, BY_ITEM, OTHER, OVER_TIME, PREFETCHED, VIEWS, VISITORS } from './metrics.ts';
import { type Counted, type Kql, type Marks, type Panel, RECORDS, TIME_FIELD } from './panel.ts';

const HOUR_BEFORE: Counted = { ...VIEWS, id: 'before', label: 'Hour before', shift: '1h' };

/** A dry run is hidden from nginx. */
const IN_FORCE: Kql = 'not hot_item.dry_run: true';

const HOT_PERIODS: Marks = {
  of: 'decisions',
  marks: [
    {
      id: 'turned-hot',
      label: 'Turned hot',
      color: '#BD271E',
      icon: 'alert',
      only: `event.action: "enters" and ${IN_FORCE}`,
      fields: ['hot_item.id', 'hot_item.signal', 'event.reason'],
    },
    {
      id: 'cooled',
      label: 'Cooled',
      color: '#0077CC',
      icon: 'bell',
      only: `event.action: "leaves" and ${IN_FORCE}`,
      fields: ['hot_item.id', 'hot_item.signal'],
    },
  ],
};

/** What shoppers look at, for those who decide what the shop shows. */
export const MERCHANDISING: Panel[] = [
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
    about: 'How often people opened item pages, over time. Lines: an item turned hot, or cooled.',
    chart: 'bars',
    rows: OVER_TIME,
    metrics: [VIEWS],
    marks: HOT_PERIODS,
    place: { x: 12, y: 0, w: 36, h: 14 },
  },
  {
    id: 'top-items',
    title: 'Top items',
    about:
      'The items that people viewed most, and other requests for them: bots, prefetches, byte ranges, HEAD, other methods.',
    chart: 'table',
    rows: BY_ITEM,
    metrics: [VIEWS, VISITORS, BOTS, PREFETCHED, OTHER, ALL],
    place: { x: 0, y: 14, w: 48, h: 20 },
  },
  {
    id: 'rising',
    title: 'Rising in the last hour',
    about:
      'Views of the last hour against the hour before, of the 1,000 items that people viewed most in the last hour.',
    chart: 'table',
    rows: { ...BY_ITEM, limit: 1_000 },
    metrics: [
      VIEWS,
      HOUR_BEFORE,
      { id: 'rise', label: 'More than before', of: 'difference', from: VIEWS, take: HOUR_BEFORE },
    ],
    sortedBy: 'rise',
    lasting: 'now-1h',
    place: { x: 0, y: 34, w: 24, h: 20 },
  },
  {
    id: 'referrers',
    title: 'Where people came from',
    about: 'The pages that led to item pages, the shop itself included.',
    chart: 'table',
    rows: { by: 'term', id: 'referrer', field: 'http.request.referrer', label: 'Referrer', limit: 20 },
    metrics: [VIEWS, VISITORS],
    place: { x: 24, y: 34, w: 24, h: 20 },
  },
  {
    id: 'categories',
    title: 'Categories',
    about:
      'What people viewed most, by the category that the catalogue had for the item when the view was indexed.',
    chart: 'table',
    rows: { by: 'term', id: 'category', field: 'hot_item.category', label: 'Category', limit: 20 },
    metrics: [VIEWS, VISITORS],
    place: { x: 0, y: 54, w: 24, h: 12 },
  },
  {
    id: 'visitors-over-time',
    title: 'Visitors over time',
    about: 'Who opened item pages, over time. Who comes again in another bar counts there, too.',
    chart: 'bars',
    rows: OVER_TIME,
    metrics: [VISITORS],
    place: { x: 24, y: 54, w: 24, h: 12 },
  },
  {
    id: 'hot-periods',
    title: 'Hot items',
    about:
      'Items that turned hot in the time shown: how often, how hot at the most, and when last. Empty while a category is chosen: decisions have none.',
    chart: 'table',
    of: 'decisions',
    rows: BY_ITEM,
    metrics: [
      {
        id: 'times',
        label: 'Turned hot',
        of: 'count',
        field: RECORDS,
        only: `event.action: "enters" and ${IN_FORCE}`,
      },
      { id: 'rate', label: 'Views/s at most', of: 'most', field: 'hot_item.views_per_second' },
      { id: 'visitors', label: 'Visitors at most', of: 'most', field: 'hot_item.visitors' },
      { id: 'last', label: 'Last decision', of: 'latest', field: TIME_FIELD },
    ],
    place: { x: 0, y: 66, w: 48, h: 16 },
  },
];
