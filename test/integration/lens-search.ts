import * as z from 'zod';
import type { SavedObject } from '../../kibana/saved-object.ts';

/*
 * What Kibana asks Elasticsearch for a visualization, read from the visualization as it is shipped: its references, layer, columns, operations,
 * filters and time shifts. A part that this does not know is an error.
 */

const filter = z.object({ query: z.string(), language: z.literal('kuery') });
const params = z.looseObject({
  size: z.number().optional(),
  orderBy: z.object({ type: z.literal('column'), columnId: z.string() }).optional(),
  includeEmptyRows: z.boolean().optional(),
  tinymathAst: z
    .object({
      type: z.literal('function'),
      name: z.literal('subtract'),
      args: z.tuple([z.string(), z.string()]),
    })
    .optional(),
});
const column = z.looseObject({
  operationType: z.enum([
    'sum',
    'unique_count',
    'average',
    'max',
    'count',
    'terms',
    'date_histogram',
    'formula',
    'math',
  ]),
  sourceField: z.string().optional(),
  isBucketed: z.boolean(),
  filter: filter.optional(),
  timeShift: z.literal('1h').optional(),
  references: z.array(z.string()).optional(),
  params: params.default({}),
});
const layer = z.object({ columns: z.record(z.string(), column), columnOrder: z.array(z.string()) });
const annotationLayer = z.looseObject({
  layerId: z.string(),
  layerType: z.literal('annotations'),
  annotations: z.array(
    z.looseObject({
      type: z.literal('query'),
      label: z.string(),
      timeField: z.string(),
      filter: z.object({ type: z.literal('kibana_query'), query: z.string(), language: z.literal('kuery') }),
      extraFields: z.array(z.string()),
    }),
  ),
});
const lens = z.looseObject({
  state: z.looseObject({
    datasourceStates: z.object({ formBased: z.object({ layers: z.record(z.string(), layer) }) }),
    visualization: z.looseObject({ layers: z.array(z.looseObject({ layerType: z.string() })).optional() }),
    query: filter,
    filters: z.array(z.never()),
  }),
});

type Column = z.output<typeof column>;
type Aggregation = { [kind: string]: object; aggs?: Record<string, Aggregation> };

/** Of the dashboard; ms since 1970. */
export type Range = { from: number; to: number; intervalSeconds: number };
export type Search = (
  index: string,
  body: object,
) => Promise<{ aggregations?: unknown; hits: { hits: Hit[] } }>;
type Hit = { fields?: Record<string, unknown[]> };
/** By the id of a column: its key, or its number. */
export type Row = Record<string, string | number | null | undefined>;

const HOUR_MS = 3_600_000;
const ORDER = 'order';

/** The rows that a visualization shows, as Elasticsearch answers. Of a single number: one row. */
export async function askLens(
  objects: SavedObject[],
  object: SavedObject,
  { search, range }: { search: Search; range: Range },
): Promise<Row[]> {
  const { state } = lens.parse(object.attributes);
  const [[layerId = '', { columns, columnOrder } = { columns: {}, columnOrder: [] }] = []] = Object.entries(
    state.datasourceStates.formBased.layers,
  );
  if (columnOrder.toSorted().join() !== Object.keys(columns).toSorted().join())
    throw new Error(`${object.id}: the order of the columns does not name each once`);
  const index = titleOf(objects, object, `indexpattern-datasource-layer-${layerId}`);
  const buckets = columnOrder.filter((id) => columns[id]?.isBucketed);
  const asked = columnOrder.filter((id) => isAsked(columns[id]));
  const shifts = [...new Set(asked.map((id) => shiftOf(columns[id])))];
  const times = shifts.map((shift) => timeRange({ from: range.from - shift, to: range.to - shift }));
  const metrics = Object.fromEntries(asked.map((id) => [id, metric(id, columns[id], range)]));
  let aggs: Record<string, Aggregation> = metrics;
  for (const id of buckets.toReversed())
    aggs = { [id]: { ...bucketsOf(columns, id, range), aggs: { ...aggs, ...orderOf(columns, id, range) } } };
  const query = { bool: { filter: [{ bool: { should: times } }, toLucene(state.query.query)] } };
  const { aggregations } = await search(index, { size: 0, query, aggs });
  return rowsOf(aggregations, buckets).map((row) => computed(row, columns, columnOrder));
}

/** The documents for which a visualization draws a line: their time, and what it shows of them. */
export async function askAnnotations(
  objects: SavedObject[],
  object: SavedObject,
  { search, range }: { search: Search; range: Range },
): Promise<{ label: string; fields: Record<string, unknown[]> }[]> {
  const { state } = lens.parse(object.attributes);
  const found = [];
  for (const one of state.visualization.layers ?? []) {
    if (one.layerType !== 'annotations') continue;
    const { layerId, annotations } = annotationLayer.parse(one);
    const index = titleOf(objects, object, `xy-visualization-layer-${layerId}`);
    for (const { label, timeField, filter: only, extraFields } of annotations) {
      const query = { bool: { filter: [timeRange(range), toLucene(only.query)] } };
      const fields = [{ field: timeField, format: 'epoch_millis' }, ...extraFields];
      const { hits } = await search(index, { query, fields, _source: false, sort: [timeField] });
      found.push(...hits.hits.map((hit) => ({ label, fields: hit.fields ?? {} })));
    }
  }
  return found;
}

function titleOf(objects: SavedObject[], object: SavedObject, name: string): string {
  const reference = object.references.find((one) => one.name === name);
  const dataView = objects.find(({ type, id }) => type === reference?.type && id === reference.id);
  if (dataView?.type !== 'index-pattern') throw new Error(`${object.id}: ${name} refers to no data view`);
  return z.object({ title: z.string() }).parse(dataView.attributes).title;
}

function isAsked(one: Column | undefined): boolean {
  return (
    one !== undefined && !one.isBucketed && one.operationType !== 'formula' && one.operationType !== 'math'
  );
}

function shiftOf(one: Column | undefined): number {
  return one?.timeShift === undefined ? 0 : HOUR_MS;
}

function timeRange({ from, to }: Pick<Range, 'from' | 'to'>): object {
  return { range: { '@timestamp': { gte: from, lt: to, format: 'epoch_millis' } } };
}

/** Each metric has a filter of its own: its range, which may be shifted, and its documents. */
function metric(id: string, one: Column | undefined, { from, to }: Range): Aggregation {
  const shift = shiftOf(one);
  const own = [timeRange({ from: from - shift, to: to - shift }), toLucene(one?.filter?.query ?? '')];
  const filtered = { filter: { bool: { filter: own } } };
  if (one?.operationType !== 'count') return { ...filtered, aggs: { [id]: operation(one) } };
  if (one.sourceField !== '___records___') throw new Error(`a count of ${one.sourceField}`);
  return filtered;
}

function operation({ operationType, sourceField: field }: Column = missing()): Aggregation {
  switch (operationType) {
    case 'sum':
      return { sum: { field } };
    case 'average':
      return { avg: { field } };
    case 'max':
      return { max: { field } };
    case 'unique_count':
      return { cardinality: { field } };
    default:
      throw new Error(`${operationType} asks nothing`);
  }
}

function bucketsOf(columns: Record<string, Column>, id: string, { intervalSeconds }: Range): Aggregation {
  const { operationType, sourceField: field, params } = columns[id] ?? missing();
  if (operationType === 'date_histogram') {
    const empty = { min_doc_count: params.includeEmptyRows ? 0 : 1 };
    return { date_histogram: { field, fixed_interval: `${intervalSeconds}s`, ...empty } };
  }
  const by = params.orderBy?.columnId ?? '';
  if (!isAsked(columns[by])) throw new Error(`${id} is ordered by ${by}, which Elasticsearch does not know`);
  const path = columns[by]?.operationType === 'count' ? ORDER : `${ORDER}>${by}`;
  return { terms: { field, size: params.size, order: { [path]: 'desc' } } };
}

/** Of terms: the number that orders them, which may be asked for further inside as well. */
function orderOf(columns: Record<string, Column>, id: string, range: Range): Record<string, Aggregation> {
  const by = columns[id]?.params.orderBy?.columnId;
  return by === undefined ? {} : { [ORDER]: metric(by, columns[by], range) };
}

type Buckets = { buckets: Record<string, unknown>[] };

function rowsOf(answer: unknown, [bucket, ...inner]: string[]): Row[] {
  const found = answer as Record<string, unknown>;
  if (bucket !== undefined)
    return (found[bucket] as Buckets).buckets.flatMap((one) =>
      rowsOf(one, inner).map((row) => ({ [bucket]: one.key as string | number, ...row })),
    );
  const metrics = Object.entries(found).filter(([id, value]) => id !== ORDER && typeof value === 'object');
  return [Object.fromEntries(metrics.map(([id, value]) => [id, numberOf(value as Filtered, id)]))];
}

type Filtered = { doc_count: number } & Record<string, { value: number | null } | number>;

/** Of a count there is nothing but the number of documents. */
function numberOf(filtered: Filtered, id: string): number | null {
  const inner = filtered[id];
  return typeof inner === 'object' ? inner.value : filtered.doc_count;
}

/** With what Kibana computes of the numbers; its parts are not shown. */
function computed(row: Row, columns: Record<string, Column>, order: string[]): Row {
  const parts = order.flatMap((id) =>
    columns[id]?.operationType === 'formula' ? (columns[id].references ?? []) : [],
  );
  const values: Row = { ...row };
  for (const part of parts) {
    const { tinymathAst } = columns[part]?.params ?? {};
    if (tinymathAst === undefined) throw new Error(`${part} computes nothing`);
    const [one, other] = tinymathAst.args;
    values[part] = Number(row[one]) - Number(row[other]);
  }
  const shown = order.filter((id) => !/X\d$/.test(id));
  return Object.fromEntries(shown.map((id) => [id, values[columns[id]?.references?.[0] ?? id]]));
}

/** The KQL of the objects is Lucene's syntax, except for the case of its words and a space after a colon. */
function toLucene(kql: string): object {
  if (kql === '') return { match_all: {} };
  const query = kql.replace(/\b(?:not|and|or)\b/g, (word) => word.toUpperCase()).replaceAll(': ', ':');
  return { query_string: { query } };
}

function missing(): never {
  throw new Error('there is no such column');
}
