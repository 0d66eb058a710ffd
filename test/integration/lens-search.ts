/** A column of a layer of a Lens visualization, as far as it decides what Kibana asks Elasticsearch. */
export type Column = {
  operationType: 'sum' | 'unique_count' | 'terms' | 'date_histogram';
  sourceField: string;
  isBucketed: boolean;
  filter?: { query: string };
  params: { size?: number; orderBy?: { columnId: string }; includeEmptyRows?: boolean };
};

type Range = { from: number; to: number; intervalSeconds: number };
type Aggregation = { [kind: string]: object; aggs?: Record<string, Aggregation> };

/** The search that Kibana makes of the columns: its rows by the id of their column, and within them the metrics by theirs. */
export function searchOf(columns: Record<string, Column>, { from, to, intervalSeconds }: Range) {
  const query = { range: { '@timestamp': { gte: from, lt: to, format: 'epoch_millis' } } };
  const all = Object.entries(columns);
  const metrics = Object.fromEntries(
    all.filter(([, { isBucketed }]) => !isBucketed).map(([id, column]) => [id, metric(id, column)]),
  );
  const bucket = all.find(([, { isBucketed }]) => isBucketed);
  if (bucket === undefined) return { size: 0, query, aggs: metrics };
  const [id, column] = bucket;
  return { size: 0, query, aggs: { [id]: { ...rows(column, columns, intervalSeconds), aggs: metrics } } };
}

function metric(id: string, { operationType, sourceField, filter }: Column): Aggregation {
  const asked: Aggregation =
    operationType === 'sum' ? { sum: { field: sourceField } } : { cardinality: { field: sourceField } };
  return filter === undefined ? asked : { filter: toLucene(filter.query), aggs: { [id]: asked } };
}

function rows(
  { operationType, sourceField, params }: Column,
  columns: Record<string, Column>,
  intervalSeconds: number,
): Aggregation {
  if (operationType === 'date_histogram') {
    const empty = { min_doc_count: params.includeEmptyRows ? 0 : 1 };
    return { date_histogram: { field: sourceField, fixed_interval: `${intervalSeconds}s`, ...empty } };
  }
  const by = params.orderBy?.columnId ?? '';
  const path = columns[by]?.filter === undefined ? by : `${by}>${by}`;
  return { terms: { field: sourceField, size: params.size, order: { [path]: 'desc' } } };
}

/** What the panels use of KQL is Lucene's syntax, but for the case of its words and a space behind the colon. */
function toLucene(kql: string): object {
  const query = kql.replace(/\b(?:not|and|or)\b/g, (word) => word.toUpperCase()).replaceAll(': ', ':');
  return { query_string: { query } };
}
