/** The query and the display of one panel. */
export type Panel = {
  /** Part of the saved object's id, so that a later import replaces it. */
  id: string;
  title: string;
  about: string;
  chart: 'number' | 'bars' | 'table';
  /** What is counted; views by default. */
  of?: Source;
  /** Each term has rows or bars of its own. */
  split?: Terms;
  /** The field that splits the documents into rows or bars; absent for a single number. */
  rows?: Rows;
  /** At least one; terms are ordered by the first. */
  metrics: [Metric, ...Metric[]];
  /** A table is sorted by this column, in place of the first metric. */
  sortedBy?: string;
  /** Vertical lines over a chart in time. */
  marks?: Marks;
  /** Whatever the dashboard shows: `now-1h` to now. */
  lasting?: string;
  /** Position and size on the dashboard's grid of 48 columns. */
  place: { x: number; y: number; w: number; h: number };
};

/** The data views. */
export type Source = 'views' | 'decisions';

export type Terms = { by: 'term'; id: string; field: string; label: string; limit: number };
export type Rows = Terms | { by: 'time'; id: string; field: string; label: string };

type Shown = { id: string; label: string };

/** A number over a field of the documents that `only` selects. `shift`: how much earlier than the time shown. */
export type Counted = Shown & {
  of: 'sum' | 'distinct' | 'average' | 'most' | 'count';
  field: string;
  only?: Kql;
  shift?: '1h';
};

export type Metric =
  | Counted
  /** The latest value of a date. */
  | (Shown & { of: 'latest'; field: string })
  | (Shown & { of: 'difference'; from: Counted; take: Counted });

/** Which documents count. Lucene's syntax, but for lower case and a space after a colon. */
export type Kql = string;

export type Marks = {
  of: Source;
  marks: { id: string; label: string; color: string; icon: string; only: Kql; fields: string[] }[];
};

/** The time field of the data views. */
export const TIME_FIELD = '@timestamp';

/** What counts documents has this in place of a field. */
export const RECORDS = '___records___';
