/** What one panel asks and shows. Its picture in Kibana and its test query are both made from this. */
export type Panel = {
  /** Part of the saved object's id, so that a later import replaces it. */
  id: string;
  title: string;
  about: string;
  chart: 'number' | 'bars' | 'table';
  /** What splits the documents into rows or bars; absent for one number over all of them. */
  rows?: Rows;
  /** At least one; the rows are ordered by the first. */
  metrics: [Metric, ...Metric[]];
  /** On the dashboard's grid of 48 columns. */
  place: { x: number; y: number; w: number; h: number };
};

export type Rows =
  | { by: 'term'; id: string; field: string; label: string; limit: number }
  | { by: 'time'; id: string; field: string; label: string };

export type Metric = { id: string; field: string; label: string; of: 'sum' | 'distinct' };

/** The name under which the data view knows the time of a view. */
export const TIME_FIELD = '@timestamp';

// A sum of weights and never a count of documents: while capture is sampling, one document stands for several views.
const VIEWS: Metric = { id: 'views', field: 'hot_item.weight', label: 'Views', of: 'sum' };
// The address, not `client.ip`: with hashed addresses only this one is filled.
const VISITORS: Metric = { id: 'visitors', field: 'client.address', label: 'Visitors', of: 'distinct' };

/** The panels of the merchandisers' dashboard. */
export const PANELS: Panel[] = [
  {
    id: 'total-views',
    title: 'Views',
    about: 'How often item pages were viewed.',
    chart: 'number',
    metrics: [VIEWS],
    place: { x: 0, y: 0, w: 12, h: 7 },
  },
  {
    id: 'visitors',
    title: 'Visitors',
    about: 'Distinct client addresses, approximate above some thousands.',
    chart: 'number',
    metrics: [VISITORS],
    place: { x: 0, y: 7, w: 12, h: 7 },
  },
  {
    id: 'views-over-time',
    title: 'Views over time',
    about: 'How often item pages were viewed, by time.',
    chart: 'bars',
    rows: { by: 'time', id: 'time', field: TIME_FIELD, label: 'Time' },
    metrics: [VIEWS],
    place: { x: 12, y: 0, w: 36, h: 14 },
  },
  {
    id: 'top-items',
    title: 'Top items',
    about: 'The most viewed items.',
    chart: 'table',
    rows: { by: 'term', id: 'item', field: 'hot_item.id', label: 'Item', limit: 20 },
    metrics: [VIEWS, VISITORS],
    place: { x: 0, y: 14, w: 48, h: 20 },
  },
];
