import type { Panel } from './panel.ts';
import { type Reference, type SavedObject, savedObject } from './saved-object.ts';

export type Control = { id: string; title: string; field: string };

export type DashboardOptions = {
  id: string;
  title: string;
  about: string;
  panels: Panel[];
  /** Lists of values at the top, of which a reader chooses. */
  controls: Control[];
  /** The data view that the controls take their values from. */
  dataView: string;
  /** The id of the visualization of a panel. */
  lensId: (panel: Panel) => string;
};

/** Shows the panels of the last hour, refreshed every ten seconds. */
export function createDashboard(options: DashboardOptions): SavedObject {
  const { id, title, about, panels, controls, lensId } = options;
  return savedObject({
    type: 'dashboard',
    id,
    attributes: {
      title,
      description: about,
      panelsJSON: JSON.stringify(panels.map(embed)),
      optionsJSON: JSON.stringify({
        useMargins: true,
        syncColors: false,
        syncCursor: true,
        syncTooltips: false,
        hidePanelTitles: false,
      }),
      ...(controls.length > 0 && { controlGroupInput: controlGroup(controls) }),
      timeRestore: true,
      timeFrom: 'now-1h',
      timeTo: 'now',
      refreshInterval: { pause: false, value: 10_000 },
      kibanaSavedObjectMeta: {
        searchSourceJSON: JSON.stringify({ query: { query: '', language: 'kuery' }, filter: [] }),
      },
      version: 1,
    },
    references: [
      ...panels.map((panel): Reference => {
        return { type: 'lens', id: lensId(panel), name: `${panel.id}:panel_${panel.id}` };
      }),
      ...controls.map((control): Reference => {
        const name = `controlGroup_${control.id}:optionsListDataView`;
        return { type: 'index-pattern', id: options.dataView, name };
      }),
    ],
  });
}

function embed({ id, title, lasting, place }: Panel): Record<string, unknown> {
  const timeRange = { from: lasting, to: 'now' };
  return {
    type: 'lens',
    panelIndex: id,
    panelRefName: `panel_${id}`,
    gridData: { ...place, i: id },
    title,
    embeddableConfig: { enhancements: {}, ...(lasting !== undefined && { timeRange }) },
  };
}

/** Each control offers what the ones before it leave. */
function controlGroup(controls: Control[]): Record<string, unknown> {
  const panels = controls.map(({ id, title, field }, order) => [
    id,
    {
      type: 'optionsListControl',
      order,
      grow: true,
      width: 'medium',
      explicitInput: { id, fieldName: field, title, selectedOptions: [], enhancements: {} },
    },
  ]);
  return {
    controlStyle: 'oneLine',
    chainingSystem: 'HIERARCHICAL',
    ignoreParentSettingsJSON: JSON.stringify({
      ignoreFilters: false,
      ignoreQuery: false,
      ignoreTimerange: false,
      ignoreValidations: false,
    }),
    panelsJSON: JSON.stringify(Object.fromEntries(panels)),
  };
}
