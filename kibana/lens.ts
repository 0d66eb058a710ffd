import type { Metric, Panel, Rows } from './panel.ts';
import { type SavedObject, savedObject } from './saved-object.ts';

type Column = { sourceField: string; operationType: string } & Record<string, unknown>;

const LAYER = 'views';
const TYPES = { number: 'lnsMetric', bars: 'lnsXY', table: 'lnsDatatable' };

/** A panel as a Lens visualization of the data view `dataViewId`. */
export function createLens(
  panel: Panel,
  { id, dataViewId }: { id: string; dataViewId: string },
): SavedObject {
  const { rows, metrics } = panel;
  const columns: Record<string, Column> = {
    ...(rows !== undefined && { [rows.id]: rowColumn(rows, metrics[0]) }),
    ...Object.fromEntries(metrics.map((metric) => [metric.id, metricColumn(metric)])),
  };
  const layer = { columns, columnOrder: Object.keys(columns), incompleteColumns: {}, sampling: 1 };
  return savedObject({
    type: 'lens',
    id,
    attributes: {
      title: panel.title,
      description: panel.about,
      visualizationType: TYPES[panel.chart],
      state: {
        datasourceStates: { formBased: { layers: { [LAYER]: layer } } },
        visualization: visualization(panel),
        query: { query: '', language: 'kuery' },
        filters: [],
        internalReferences: [],
        adHocDataViews: {},
      },
    },
    references: [{ type: 'index-pattern', id: dataViewId, name: `indexpattern-datasource-layer-${LAYER}` }],
  });
}

function metricColumn({ of, field, label, only }: Metric): Column {
  return {
    label,
    customLabel: true,
    dataType: 'number',
    operationType: of === 'sum' ? 'sum' : 'unique_count',
    sourceField: field,
    isBucketed: false,
    scale: 'ratio',
    ...(only !== undefined && { filter: { query: only, language: 'kuery' } }),
    params: { emptyAsNull: false, format: { id: 'number', params: { decimals: 0 } } },
  };
}

function rowColumn(rows: Rows, first: Metric): Column {
  const common = { label: rows.label, customLabel: true, sourceField: rows.field, isBucketed: true };
  if (rows.by === 'time') {
    const params = { interval: 'auto', includeEmptyRows: true, dropPartials: false };
    return { ...common, dataType: 'date', operationType: 'date_histogram', scale: 'interval', params };
  }
  const params = {
    size: rows.limit,
    orderBy: { type: 'column', columnId: first.id },
    orderDirection: 'desc',
    otherBucket: false,
    missingBucket: false,
    parentFormat: { id: 'terms' },
    include: [],
    exclude: [],
    includeIsRegex: false,
    excludeIsRegex: false,
  };
  return { ...common, dataType: 'string', operationType: 'terms', scale: 'ordinal', params };
}

function visualization({ chart, rows, metrics }: Panel): Record<string, unknown> {
  const layer = { layerId: LAYER, layerType: 'data' };
  if (chart === 'number') return { ...layer, metricAccessor: metrics[0].id };
  if (chart === 'table') {
    return {
      ...layer,
      columns: [...(rows === undefined ? [] : [rows]), ...metrics].map(({ id }) => ({ columnId: id })),
      sorting: { columnId: metrics[0].id, direction: 'desc' },
    };
  }
  const bars = { seriesType: 'bar_stacked', xAccessor: rows?.id, accessors: metrics.map(({ id }) => id) };
  return {
    legend: { isVisible: metrics.length > 1, position: 'right' },
    valueLabels: 'hide',
    fittingFunction: 'None',
    axisTitlesVisibilitySettings: { x: false, yLeft: false, yRight: false },
    tickLabelsVisibilitySettings: { x: true, yLeft: true, yRight: true },
    gridlinesVisibilitySettings: { x: true, yLeft: true, yRight: true },
    labelsOrientation: { x: 0, yLeft: 0, yRight: 0 },
    preferredSeriesType: 'bar_stacked',
    layers: [{ ...layer, ...bars }],
  };
}
