import { metricColumns, rowColumn } from './column.ts';
import { type Marks, type Panel, type Source, TIME_FIELD } from './panel.ts';
import { type Reference, type SavedObject, savedObject } from './saved-object.ts';

const LAYER = 'views';
const MARKS = 'hot-periods';
const TYPES = { number: 'lnsMetric', bars: 'lnsXY', table: 'lnsDatatable' };
const ROWS_ON_A_PAGE = 20;

/** A panel as a Lens visualization. `dataViews`: their ids. */
export function createLens(
  panel: Panel,
  { id, dataViews }: { id: string; dataViews: Record<Source, string> },
): SavedObject {
  const { of = 'views', split, rows, metrics, marks } = panel;
  const columns = {
    ...(split !== undefined && { [split.id]: rowColumn(split, metrics[0]) }),
    ...(rows !== undefined && { [rows.id]: rowColumn(rows, metrics[0]) }),
    ...Object.assign({}, ...metrics.map(metricColumns)),
  };
  const layer = { columns, columnOrder: Object.keys(columns), incompleteColumns: {}, sampling: 1 };
  const references: Reference[] = [
    { type: 'index-pattern', id: dataViews[of], name: `indexpattern-datasource-layer-${LAYER}` },
  ];
  if (marks !== undefined)
    references.push({
      type: 'index-pattern',
      id: dataViews[marks.of],
      name: `xy-visualization-layer-${MARKS}`,
    });
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
    references,
  });
}

function visualization({ chart, split, rows, metrics, marks, sortedBy }: Panel): Record<string, unknown> {
  const layer = { layerId: LAYER, layerType: 'data' };
  if (chart === 'number') return { ...layer, metricAccessor: metrics[0].id };
  if (chart === 'table') {
    return {
      ...layer,
      columns: [...(rows === undefined ? [] : [rows]), ...metrics].map((column) => ({ columnId: column.id })),
      sorting: { columnId: sortedBy ?? metrics[0].id, direction: 'desc' },
      paging: { size: ROWS_ON_A_PAGE, enabled: true },
    };
  }
  const bars = {
    seriesType: 'bar_stacked',
    xAccessor: rows?.id,
    accessors: metrics.map((metric) => metric.id),
    ...(split !== undefined && { splitAccessor: split.id }),
  };
  return {
    legend: { isVisible: metrics.length > 1 || split !== undefined, position: 'right' },
    valueLabels: 'hide',
    fittingFunction: 'None',
    axisTitlesVisibilitySettings: { x: false, yLeft: false, yRight: false },
    tickLabelsVisibilitySettings: { x: true, yLeft: true, yRight: true },
    gridlinesVisibilitySettings: { x: true, yLeft: true, yRight: true },
    labelsOrientation: { x: 0, yLeft: 0, yRight: 0 },
    preferredSeriesType: 'bar_stacked',
    layers: [{ ...layer, ...bars }, ...(marks === undefined ? [] : [annotations(marks)])],
  };
}

/** Filters and controls of the dashboard apply to them: with an item chosen, only its own are shown. */
function annotations({ marks }: Marks): Record<string, unknown> {
  return {
    layerId: MARKS,
    layerType: 'annotations',
    persistanceType: 'byValue',
    ignoreGlobalFilters: false,
    annotations: marks.map(({ id, label, color, icon, only, fields }) => ({
      type: 'query',
      id,
      label,
      key: { type: 'point_in_time' },
      timeField: TIME_FIELD,
      color,
      icon,
      filter: { type: 'kibana_query', query: only, language: 'kuery' },
      extraFields: fields,
    })),
  };
}
