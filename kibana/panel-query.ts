import { type Metric, type Panel, type Rows, TIME_FIELD } from './panel.ts';

export type PanelRange = {
  /** From this time on, ms since 1970. */
  from: number;
  /** Before this time, ms since 1970. */
  to: number;
  /** Width of a bar of time, which Kibana chooses by the range. */
  intervalSeconds: number;
};

export type SearchBody = { size: 0; query: object; aggs: Record<string, Aggregation> };

type Aggregation = { [kind: string]: object; aggs?: Record<string, Aggregation> };

/** The search that the panel amounts to: its rows under the id of the rows, each metric under its own, and there once more where it is about some of the documents. */
export function toQuery(panel: Panel, { from, to, intervalSeconds }: PanelRange): SearchBody {
  const metrics = Object.fromEntries(panel.metrics.map((metric) => [metric.id, metricAggregation(metric)]));
  const query = { range: { [TIME_FIELD]: { gte: from, lt: to, format: 'epoch_millis' } } };
  if (panel.rows === undefined) return { size: 0, query, aggs: metrics };
  const rows = rowAggregation(panel.rows, panel.metrics[0], intervalSeconds);
  return { size: 0, query, aggs: { [panel.rows.id]: { ...rows, aggs: metrics } } };
}

function metricAggregation({ id, of, field, only }: Metric): Aggregation {
  const metric: Aggregation = of === 'sum' ? { sum: { field } } : { cardinality: { field } };
  return only === undefined ? metric : { filter: only.query, aggs: { [id]: metric } };
}

function rowAggregation(rows: Rows, first: Metric, intervalSeconds: number): Aggregation {
  if (rows.by === 'term') {
    const path = first.only === undefined ? first.id : `${first.id}>${first.id}`;
    return { terms: { field: rows.field, size: rows.limit, order: { [path]: 'desc' } } };
  }
  return { date_histogram: { field: rows.field, fixed_interval: `${intervalSeconds}s`, min_doc_count: 0 } };
}
