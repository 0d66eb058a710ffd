import { describe, expect, test } from '@jest/globals';
import type { HotItemEvent } from '../../../event/event.ts';
import { createDashboard, fieldsOf, toNdjson } from '../../../kibana/dashboard.ts';
import { PANELS } from '../../../kibana/panel.ts';
import type { SavedObject } from '../../../kibana/saved-object.ts';
import { MAPPINGS } from '../../../store/elasticsearch/mappings.ts';
import { documentOf } from '../../parts/ecs-document.ts';

const EVENT: HotItemEvent = {
  v: 1,
  id: '019aab7b2f80aaaaaaaaaaaaaaaaaaaa',
  time: 1_763_825_925_000,
  uri: '/web/item/4711.html',
  item: '4711',
  ip: '203.0.113.7',
};

// The types of Elasticsearch that Kibana takes for each of its own.
const MAPPED: Record<string, string[]> = {
  date: ['date'],
  number: ['double', 'float', 'integer', 'long'],
  string: ['keyword'],
};

describe('the dashboard', () => {
  test('uses only fields that the index template maps', () => {
    const fields = fieldsOf(createDashboard());
    expect(fields).not.toHaveLength(0);
    for (const field of fields) expect(mappingOf(field)).toBeDefined();
  });

  test('uses only fields that every document has', () => {
    const fields = fieldsOf(createDashboard());
    expect(fields).toEqual(['@timestamp', 'hot_item.id', 'hot_item.visitor', 'hot_item.weight']);
    expect(paths(documentOf(EVENT))).toEqual(expect.arrayContaining(fields));
  });

  test('shows the data streams that it is given', () => {
    const [dataView] = createDashboard({ dataView: 'shop-views*' });
    expect(dataView).toMatchObject({ type: 'index-pattern', attributes: { title: 'shop-views*' } });
  });

  test('refers only to included objects, each before those that refer to it', () => {
    const known = new Set<string>();
    for (const object of createDashboard()) {
      for (const { type, id } of object.references) expect(known).toContain(`${type} ${id}`);
      known.add(`${object.type} ${object.id}`);
    }
  });

  test('has the same ids every time, so that importing it again replaces it', () => {
    const ids = createDashboard({ dataView: 'one*' }).map(({ id }) => id);
    expect(createDashboard({ dataView: 'two*' }).map(({ id }) => id)).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('resolves each panel by its reference name', () => {
    const dashboard = createDashboard().find(({ type }) => type === 'dashboard');
    const panels = JSON.parse(String(dashboard?.attributes.panelsJSON)) as Record<string, string>[];
    const names = panels.map(({ panelIndex, panelRefName }) => `${panelIndex}:${panelRefName}`);
    expect(dashboard?.references.map(({ name }) => name)).toEqual(names);
    expect(panels).toHaveLength(PANELS.length);
  });

  test('places its panels within 48 columns, without overlap', () => {
    const cells = PANELS.flatMap(({ place: { x, y, w, h } }) => {
      expect(x + w).toBeLessThanOrEqual(48);
      return range(x, w).flatMap((column) => range(y, h).map((row) => `${column},${row}`));
    });
    expect(new Set(cells).size).toBe(cells.length);
  });

  test('is one line of JSON an object', () => {
    const objects = createDashboard({ dataView: 'two\nlines*' });
    const lines = toNdjson(objects).split('\n');
    expect(lines.pop()).toBe('');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(objects);
  });
});

describe.each(createDashboard().filter(({ type }) => type === 'lens'))('the visualization $id', (lens) => {
  test('shows the columns of its layer in order', () => {
    const { layer, visualization } = partsOf(lens);
    expect(layer.columnOrder).toEqual(Object.keys(layer.columns));
    for (const id of columnsShown(visualization)) expect(layer.columnOrder).toContain(id);
  });

  test('has a reference for each of its layers', () => {
    const names = partsOf(lens).layerIds.map((id) => `indexpattern-datasource-layer-${id}`);
    expect(lens.references.map(({ name }) => name)).toEqual(names);
  });

  test('uses each field with its type in the index template', () => {
    for (const { operationType, dataType, sourceField } of Object.values(partsOf(lens).layer.columns)) {
      // Distinct values are a number of whatever they are.
      const expected = operationType === 'unique_count' ? 'string' : dataType;
      expect(MAPPED[expected]).toContain(mappingOf(sourceField));
    }
  });

  test('separates views by people, with fields that the index template maps', () => {
    const filters = Object.values(partsOf(lens).layer.columns).flatMap(({ filter }) => filter ?? []);
    for (const { query, language } of filters) {
      expect(language).toBe('kuery');
      for (const [field = ''] of query.matchAll(/[\w.]+(?=:)/g)) expect(mappingOf(field)).toBeDefined();
    }
    expect(filters).not.toHaveLength(0);
  });

  test('orders the values of a field by one of its own metrics', () => {
    const { layer } = partsOf(lens);
    const terms = Object.values(layer.columns).filter(({ operationType }) => operationType === 'terms');
    for (const { params } of terms) expect(layer.columnOrder).toContain(params.orderBy?.columnId);
  });
});

type Column = {
  operationType: string;
  dataType: string;
  sourceField: string;
  filter?: { query: string; language: string };
  params: { orderBy?: { columnId: string } };
};
type Layer = {
  columnOrder: string[];
  columns: Record<string, Column>;
};
type Shown = {
  metricAccessor?: string;
  columns?: { columnId: string }[];
  layers?: { xAccessor: string; accessors: string[] }[];
};

function partsOf(lens: SavedObject): { layer: Layer; layerIds: string[]; visualization: Shown } {
  const state = lens.attributes.state as {
    datasourceStates: { formBased: { layers: Record<string, Layer> } };
    visualization: Shown;
  };
  const layers = Object.entries(state.datasourceStates.formBased.layers);
  const layer = layers[0]?.[1];
  if (layer === undefined) throw new Error(`${lens.id} has no layer`);
  return { layer, layerIds: layers.map(([id]) => id), visualization: state.visualization };
}

function columnsShown({ metricAccessor, columns = [], layers = [] }: Shown): string[] {
  const shown = [
    ...(metricAccessor === undefined ? [] : [metricAccessor]),
    ...columns.map(({ columnId }) => columnId),
    ...layers.flatMap(({ xAccessor, accessors }) => [xAccessor, ...accessors]),
  ];
  expect(shown).not.toHaveLength(0);
  return shown;
}

type Mapping = { type?: string; properties?: Record<string, Mapping> };

/** The type of a field in the index template: `keyword`. */
function mappingOf(field: string): string | undefined {
  let mapping: Mapping | undefined = { properties: MAPPINGS.properties };
  for (const name of field.split('.')) mapping = mapping?.properties?.[name];
  return mapping?.type;
}

function paths(value: object, above = ''): string[] {
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) =>
    typeof inner === 'object' && inner !== null ? paths(inner, `${above}${key}.`) : [`${above}${key}`],
  );
}

function range(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => from + index);
}
