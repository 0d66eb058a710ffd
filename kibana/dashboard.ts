import { createLens } from './lens.ts';
import { PANELS, type Panel, TIME_FIELD } from './panel.ts';
import { type SavedObject, savedObject } from './saved-object.ts';

export type DashboardOptions = {
  /** The indices and data streams to show. Default `hot_item*`. */
  dataView?: string;
};

/** The dashboard's path in Kibana is `/app/dashboards#/view/hotitem-dashboard`. */
export const DASHBOARD_ID = 'hotitem-dashboard';

const DATA_VIEW_ID = 'hotitem-data-view';

/**
 * The merchandisers' dashboard and all objects that it needs, each before those that refer to it. The ids are fixed, so a later import
 * replaces the earlier one.
 */
export function createDashboard({ dataView = 'hot_item*' }: DashboardOptions = {}): SavedObject[] {
  const lenses = PANELS.map((panel) =>
    createLens(panel, { id: `hotitem-${panel.id}`, dataViewId: DATA_VIEW_ID }),
  );
  return [createDataView(dataView), ...lenses, assemble()];
}

/** One object per line, the format of Kibana's import. */
export function toNdjson(objects: SavedObject[]): string {
  return objects.map((object) => `${JSON.stringify(object)}\n`).join('');
}

/** Every document field that the objects use, once each, in alphabetical order. */
export function fieldsOf(objects: SavedObject[]): string[] {
  const fields = new Set<string>();
  JSON.stringify(objects, (key, value: unknown) => {
    if ((key === 'sourceField' || key === 'timeFieldName') && typeof value === 'string') fields.add(value);
    return value;
  });
  return [...fields].sort();
}

function createDataView(title: string): SavedObject {
  return savedObject({
    type: 'index-pattern',
    id: DATA_VIEW_ID,
    attributes: {
      title,
      name: 'Hot items',
      timeFieldName: TIME_FIELD,
      // The dashboard is set up before the first view arrives.
      allowNoIndex: true,
      fields: '[]',
      fieldAttrs: '{}',
      fieldFormatMap: '{}',
      runtimeFieldMap: '{}',
      sourceFilters: '[]',
    },
    references: [],
  });
}

function assemble(): SavedObject {
  return savedObject({
    type: 'dashboard',
    id: DASHBOARD_ID,
    attributes: {
      title: 'Hot items',
      description: 'What shoppers look at: the most viewed items, views over time, and visitors.',
      panelsJSON: JSON.stringify(PANELS.map(embed)),
      optionsJSON: JSON.stringify({
        useMargins: true,
        syncColors: false,
        syncCursor: true,
        syncTooltips: false,
        hidePanelTitles: false,
      }),
      timeRestore: true,
      timeFrom: 'now-1h',
      timeTo: 'now',
      refreshInterval: { pause: false, value: 10_000 },
      kibanaSavedObjectMeta: {
        searchSourceJSON: JSON.stringify({ query: { query: '', language: 'kuery' }, filter: [] }),
      },
      version: 1,
    },
    references: PANELS.map(({ id }) => ({
      type: 'lens',
      id: `hotitem-${id}`,
      name: `${id}:panel_${id}`,
    })),
  });
}

function embed({ id, title, place }: Panel): Record<string, unknown> {
  return {
    type: 'lens',
    panelIndex: id,
    panelRefName: `panel_${id}`,
    gridData: { ...place, i: id },
    title,
    embeddableConfig: { enhancements: {} },
  };
}
