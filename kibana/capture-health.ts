import { BOTS, OTHER, OVER_TIME, PREFETCHED, VIEWS } from './metrics.ts';
import { type Metric, type Panel, RECORDS, type Rows, type Terms, TIME_FIELD } from './panel.ts';

const DOCUMENTS: Metric = { id: 'documents', label: 'Documents', of: 'count', field: RECORDS };
const NODES: Terms = { by: 'term', id: 'node', field: 'host.name', label: 'nginx host', limit: 20 };
const ACTIONS: Terms = { by: 'term', id: 'action', field: 'event.action', label: 'Change', limit: 5 };
const CUT: Rows = { by: 'term', id: 'field', field: 'hot_item.cut', label: 'Field', limit: 20 };

/** What the index says about capture. What is lost before it, only metrics and `hotitem status` say. */
export const CAPTURE_HEALTH: Panel[] = [
  {
    id: 'documents',
    title: 'Documents',
    about: 'Events in the index, of all kinds.',
    chart: 'number',
    metrics: [DOCUMENTS],
    place: { x: 0, y: 0, w: 12, h: 7 },
  },
  {
    id: 'views-per-document',
    title: 'Views per document',
    about: '1 while every view is kept; more while capture samples, or load is shed.',
    chart: 'number',
    metrics: [{ id: 'weight', label: 'Views per document', of: 'average', field: 'hot_item.weight' }],
    place: { x: 12, y: 0, w: 12, h: 7 },
  },
  {
    id: 'nodes',
    title: 'nginx hosts',
    about: 'Hosts that captured something.',
    chart: 'number',
    metrics: [{ id: 'nodes', label: 'nginx hosts', of: 'distinct', field: 'host.name' }],
    place: { x: 24, y: 0, w: 12, h: 7 },
  },
  {
    id: 'test-views',
    title: 'Test views',
    about: 'By hotitem doctor. No other panel but Documents counts them.',
    chart: 'number',
    metrics: [
      { id: 'tests', label: 'Test views', of: 'count', field: RECORDS, only: 'hot_item.kind: "test"' },
    ],
    place: { x: 36, y: 0, w: 12, h: 7 },
  },
  {
    id: 'documents-by-node',
    title: 'Documents by nginx host',
    about: 'A host that falls silent captures nothing, or nobody delivers what it captured.',
    chart: 'bars',
    split: NODES,
    rows: OVER_TIME,
    metrics: [DOCUMENTS],
    place: { x: 0, y: 7, w: 48, h: 14 },
  },
  {
    id: 'node-table',
    title: 'Last sign of each nginx host',
    about: 'When it captured its last view, and when that was indexed.',
    chart: 'table',
    rows: NODES,
    metrics: [
      DOCUMENTS,
      { id: 'captured', label: 'Last view', of: 'latest', field: TIME_FIELD },
      { id: 'indexed', label: 'Last indexed', of: 'latest', field: 'event.created' },
    ],
    place: { x: 0, y: 21, w: 24, h: 14 },
  },
  {
    id: 'truncated',
    title: 'Truncated fields',
    about:
      'Values beyond the limit of their field. Many are a sign of an attack, or of a limit that is too low.',
    chart: 'table',
    rows: CUT,
    metrics: [DOCUMENTS],
    place: { x: 24, y: 21, w: 24, h: 14 },
  },
  {
    id: 'no-views-over-time',
    title: 'Other requests for item pages',
    about: 'Bots, prefetches, byte ranges, HEAD, other methods, over time.',
    chart: 'bars',
    rows: OVER_TIME,
    metrics: [BOTS, PREFETCHED, OTHER],
    place: { x: 0, y: 35, w: 48, h: 12 },
  },
  {
    id: 'views-by-people',
    title: 'Views by people',
    about: 'For comparison.',
    chart: 'bars',
    rows: OVER_TIME,
    metrics: [VIEWS],
    place: { x: 0, y: 47, w: 24, h: 12 },
  },
  {
    id: 'decisions',
    title: 'Decisions',
    about: 'What turned hot (enters), cooled (leaves), changed, or was repeated for the topic (stays).',
    chart: 'bars',
    of: 'decisions',
    split: ACTIONS,
    rows: OVER_TIME,
    metrics: [DOCUMENTS],
    place: { x: 24, y: 47, w: 24, h: 12 },
  },
  {
    id: 'held-back',
    title: 'Held back by the cap',
    about: 'Items that would be hot, but heat.cap was reached: the most at one moment.',
    chart: 'bars',
    of: 'decisions',
    rows: OVER_TIME,
    metrics: [{ id: 'held', label: 'Held back', of: 'most', field: 'hot_item.held' }],
    place: { x: 0, y: 59, w: 48, h: 10 },
  },
];
