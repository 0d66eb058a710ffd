import { CAPTURE_HEALTH } from './capture-health.ts';
import { type Control, createDashboard } from './dashboard.ts';
import { createLens } from './lens.ts';
import { MERCHANDISING } from './merchandising.ts';
import { type Panel, type Source, TIME_FIELD } from './panel.ts';
import { type SavedObject, savedObject } from './saved-object.ts';
import { createSearch } from './search.ts';

/** Names of data streams, with `*`; those after a `-` are left out. */
export type Streams = { views: string; decisions: string };

/** The dashboards' paths in Kibana are `/app/dashboards#/view/` and these. */
export const MERCHANDISING_ID = 'hotitem-dashboard';
export const CAPTURE_HEALTH_ID = 'hotitem-capture-health';

const DATA_VIEWS: Record<Source, string> = {
  views: 'hotitem-data-view',
  decisions: 'hotitem-decisions-data-view',
};

const CONTROLS: Control[] = [
  { id: 'item', title: 'Item', field: 'hot_item.id' },
  { id: 'category', title: 'Category', field: 'hot_item.category' },
];

/** What Kibana shows of a configured data stream: also others that begin with its name, each with its decisions apart. */
export function streamsOf(dataStream: string): Streams {
  const decisions = `${dataStream}*_decisions`;
  return { views: `${dataStream}*,-${decisions}`, decisions };
}

/**
 * All that `hotitem setup --kibana` imports, each object before those that refer to it. The ids are fixed, so a later import replaces the
 * earlier one.
 */
export function createObjects({ views, decisions }: Streams): SavedObject[] {
  const panels = [...MERCHANDISING, ...CAPTURE_HEALTH];
  return [
    createDataView('views', 'Item views', views),
    createDataView('decisions', 'Decisions about hot items', decisions),
    ...panels.map((panel) => createLens(panel, { id: lensId(panel), dataViews: DATA_VIEWS })),
    ...searches(),
    createDashboard({
      id: MERCHANDISING_ID,
      title: 'hotitem: Merchandising',
      about:
        'What shoppers look at: the most viewed items, what rises, categories, visitors, referrers, hot items.',
      panels: MERCHANDISING,
      controls: CONTROLS,
      dataView: DATA_VIEWS.views,
      lensId,
    }),
    createDashboard({
      id: CAPTURE_HEALTH_ID,
      title: 'hotitem: Capture health',
      about: 'Whether views arrive, from which hosts, how complete, and what else asked for item pages.',
      panels: CAPTURE_HEALTH,
      controls: [],
      dataView: DATA_VIEWS.views,
      lensId,
    }),
  ];
}

/** One object per line, the format of Kibana's import. */
export function toNdjson(objects: SavedObject[]): string {
  return objects.map((object) => `${JSON.stringify(object)}\n`).join('');
}

function lensId({ id }: Panel): string {
  return `hotitem-${id}`;
}

/** Without addresses of visitors. */
function searches(): SavedObject[] {
  return [
    createSearch({
      id: 'hotitem-views-search',
      title: 'hotitem: Views',
      about: 'Each event, the latest first.',
      columns: [
        'hot_item.id',
        'url.path',
        'http.request.referrer',
        'user_agent.original',
        'hot_item.kind',
        'hot_item.weight',
        'host.name',
      ],
      dataView: DATA_VIEWS.views,
    }),
    createSearch({
      id: 'hotitem-decisions-search',
      title: 'hotitem: Decisions',
      about: 'What turned hot, changed or cooled, by which rule, and why.',
      columns: [
        'hot_item.id',
        'event.action',
        'hot_item.signal',
        'event.reason',
        'rule.name',
        'hot_item.decided_by',
        'host.name',
      ],
      dataView: DATA_VIEWS.decisions,
    }),
  ];
}

function createDataView(of: Source, name: string, title: string): SavedObject {
  return savedObject({
    type: 'index-pattern',
    id: DATA_VIEWS[of],
    attributes: {
      title,
      name,
      timeFieldName: TIME_FIELD,
      // The dashboards are set up before the first view has come.
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
