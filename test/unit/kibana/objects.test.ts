import { describe, expect, test } from '@jest/globals';
import { createObjects, streamsOf, toNdjson } from '../../../kibana/objects.ts';
import { createRules } from '../../../kibana/rules.ts';
import type { SavedObject } from '../../../kibana/saved-object.ts';
import { DECISIONS } from '../../../store/elasticsearch/decisions.ts';
import type { Properties } from '../../../store/elasticsearch/mappings.ts';
import { MAPPINGS } from '../../../store/elasticsearch/mappings.ts';

const STREAMS = streamsOf('hot_item');
const OBJECTS = createObjects(STREAMS);
const RULES = createRules(STREAMS);
const BY_ID = new Map(OBJECTS.map((object) => [object.id, object]));

// The types of Elasticsearch that Kibana takes for each of its own.
const MAPPED: Record<string, string[]> = {
  date: ['date'],
  number: ['double', 'float', 'integer', 'long'],
  string: ['keyword'],
};

describe('the objects for Kibana', () => {
  test('show a data stream and others that begin with its name, and their decisions apart', () => {
    const titles = createObjects(streamsOf('shop')).flatMap(({ type, attributes }) =>
      type === 'index-pattern' ? [attributes.title] : [],
    );
    expect(titles).toEqual(['shop*,-shop*_decisions', 'shop*_decisions']);
  });

  test('refer only to objects that come along, each after those', () => {
    const known = new Set<string>();
    for (const object of OBJECTS) {
      for (const { type, id } of object.references) expect(known).toContain(`${type} ${id}`);
      known.add(`${object.type} ${object.id}`);
    }
  });

  test('have ids of their own, the same every time, so that a later import replaces them', () => {
    const ids = [...OBJECTS, ...RULES].map(({ id }) => id);
    const again = streamsOf('other');
    expect([...createObjects(again), ...createRules(again)].map(({ id }) => id)).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('have the versions of Kibana 8.9, which 9.x accepts', () => {
    for (const { coreMigrationVersion, typeMigrationVersion } of [...OBJECTS, ...RULES]) {
      expect(coreMigrationVersion).toBe('8.8.0');
      expect(typeMigrationVersion).toMatch(/^[78]\.[0-9]\.[0-9]$/);
    }
  });

  test('are one line of JSON each', () => {
    const objects = createObjects({ views: 'two\nlines*', decisions: 'd' });
    const lines = toNdjson(objects).split('\n');
    expect(lines.pop()).toBe('');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(objects);
  });

  test('format no field as a link or as markup: what is in it comes from anybody', () => {
    for (const { attributes } of OBJECTS.filter(({ type }) => type === 'index-pattern'))
      expect(attributes).toMatchObject({ fieldFormatMap: '{}', runtimeFieldMap: '{}' });
  });
});

describe.each(OBJECTS.filter(({ type }) => type === 'dashboard'))('the dashboard $id', (dashboard) => {
  const panels = JSON.parse(String(dashboard.attributes.panelsJSON)) as EmbeddedPanel[];
  const controls = controlsOf(dashboard);

  test('finds each panel and each control under the name that its references give it', () => {
    expect(dashboard.references.map(({ name }) => name)).toEqual([
      ...panels.map(({ panelIndex, panelRefName }) => `${panelIndex}:${panelRefName}`),
      ...Object.keys(controls).map((id) => `controlGroup_${id}:optionsListDataView`),
    ]);
    expect(new Set(panels.map(({ panelIndex }) => panelIndex)).size).toBe(panels.length);
  });

  test('lays its panels out within 48 columns and over none of the others', () => {
    const cells = panels.flatMap(({ panelIndex, gridData: { x, y, w, h, i } }) => {
      expect(i).toBe(panelIndex);
      expect(x + w).toBeLessThanOrEqual(48);
      return range(x, w).flatMap((column) => range(y, h).map((row) => `${column},${row}`));
    });
    expect(new Set(cells).size).toBe(cells.length);
  });

  test('offers values of fields that are keywords', () => {
    for (const [id, { explicitInput }] of Object.entries(controls)) {
      const { fieldName } = explicitInput;
      expect(explicitInput.id).toBe(id);
      expect(mappingOf(dashboard, `controlGroup_${id}:optionsListDataView`, fieldName)).toBe('keyword');
    }
  });
});

describe.each(OBJECTS.filter(({ type }) => type === 'lens'))('the visualization $id', (lens) => {
  const { layerId, layer, visualization } = partsOf(lens);
  const own = `indexpattern-datasource-layer-${layerId}`;
  const columns = Object.entries(layer.columns);

  test('shows columns of its layer, in the order of the layer', () => {
    expect(layer.columnOrder).toEqual(Object.keys(layer.columns));
    for (const id of columnsShown(visualization)) expect(layer.columnOrder).toContain(id);
    expect(visualization.layerId ?? visualization.layers?.[0]?.layerId).toBe(layerId);
  });

  test('has a reference for each of its layers', () => {
    const lines = annotationsOf(visualization).map((one) => `xy-visualization-layer-${one.layerId}`);
    expect(lens.references.map(({ name }) => name)).toEqual([own, ...lines]);
  });

  test('takes each field for what the index template maps it to', () => {
    for (const [, { operationType, dataType, sourceField }] of columns) {
      if (sourceField === undefined || sourceField === '___records___') continue;
      // Distinct values are a number of whatever they are.
      const expected = operationType === 'unique_count' ? 'string' : dataType;
      expect([sourceField, MAPPED[expected]]).toEqual([
        sourceField,
        expect.arrayContaining([mappingOf(lens, own, sourceField)]),
      ]);
    }
  });

  test('has filters of fields that the index template maps', () => {
    for (const [, { filter }] of columns) {
      if (filter === undefined) continue;
      expect(filter.language).toBe('kuery');
      for (const field of fieldsIn(filter.query)) expect(mappingOf(lens, own, field)).toBeDefined();
    }
  });

  test('orders the values of a field by a number that Elasticsearch computes', () => {
    for (const [, { params }] of columns.filter(([, { operationType }]) => operationType === 'terms')) {
      const by = layer.columns[params.orderBy?.columnId ?? ''];
      expect(['sum', 'count', 'unique_count', 'max']).toContain(by?.operationType);
    }
  });

  test('computes formulas of columns that it has, as the formula says', () => {
    for (const [id, { operationType, references = [], params }] of columns) {
      for (const one of references) expect(layer.columns).toHaveProperty([one]);
      if (operationType !== 'formula') continue;
      const math = layer.columns[references[0] ?? ''];
      expect(math?.params.tinymathAst).toMatchObject({
        name: 'subtract',
        args: [`${id}X0`, `${id}X1`],
        text: params.formula,
      });
    }
  });

  test('draws lines at documents with fields that the index template maps', () => {
    for (const { layerId: line, annotations } of annotationsOf(visualization)) {
      const name = `xy-visualization-layer-${line}`;
      for (const { timeField, filter, extraFields } of annotations) {
        expect(mappingOf(lens, name, timeField)).toBe('date');
        for (const field of [...fieldsIn(filter.query), ...extraFields])
          expect([field, mappingOf(lens, name, field)]).toEqual([field, expect.any(String)]);
      }
    }
  });
});

test('some visualization has a filter, a formula, a shift, a split and lines', () => {
  const text = JSON.stringify(OBJECTS.filter(({ type }) => type === 'lens'));
  for (const part of ['"filter":', '"formula"', '"timeShift"', '"splitAccessor"', '"annotations"'])
    expect(text).toContain(part);
});

describe.each(OBJECTS.filter(({ type }) => type === 'search'))('the saved search $id', (search) => {
  test('shows fields that the index template maps, but no address', () => {
    const { indexRefName } = JSON.parse(
      (search.attributes.kibanaSavedObjectMeta as { searchSourceJSON: string }).searchSourceJSON,
    ) as { indexRefName: string };
    const { columns, sort } = search.attributes as { columns: string[]; sort: [string, string][] };
    for (const field of [...columns, ...sort.map(([name]) => name)])
      expect([field, mappingOf(search, indexRefName, field)]).toEqual([field, expect.any(String)]);
    expect(columns.filter((field) => /address|\.ip$/.test(field))).toEqual([]);
  });
});

describe.each(RULES)('the alert rule $id', (rule) => {
  const { params, ...rest } = rule.attributes as { params: RuleParams } & Record<string, unknown>;

  test('is off, and belongs to nobody, as Kibana exports it', () => {
    expect(rest).toMatchObject({
      enabled: false,
      apiKey: null,
      apiKeyOwner: null,
      scheduledTaskId: null,
      actions: [],
    });
    expect(rule.references).toEqual([]);
  });

  test('asks for fields that the index template maps', () => {
    const mappings = params.index.join() === STREAMS.decisions ? DECISIONS.mappings : MAPPINGS;
    const fields = [...params.esQuery.matchAll(/"(?:term|range)":\{"([^"]+)"/g)].map(
      ([, field = '']) => field,
    );
    expect(fields).not.toHaveLength(0);
    for (const field of [...fields, params.timeField])
      expect(typeIn(mappings.properties, field)).toBeDefined();
  });
});

type RuleParams = { index: string[]; esQuery: string; timeField: string };
type EmbeddedPanel = {
  panelIndex: string;
  panelRefName: string;
  gridData: { x: number; y: number; w: number; h: number; i: string };
};
type Control = { explicitInput: { id: string; fieldName: string } };
type Column = {
  operationType: string;
  dataType: string;
  sourceField?: string;
  filter?: { query: string; language: string };
  references?: string[];
  params: { orderBy?: { columnId: string }; formula?: string; tinymathAst?: object };
};
type Layer = { columnOrder: string[]; columns: Record<string, Column> };
type Annotations = {
  layerId: string;
  annotations: { timeField: string; filter: { query: string }; extraFields: string[] }[];
};
type Shown = {
  layerId?: string;
  metricAccessor?: string;
  columns?: { columnId: string }[];
  layers?: ({ layerId: string; layerType: string } & Partial<
    { xAccessor: string; splitAccessor: string; accessors: string[] } & Annotations
  >)[];
};

function controlsOf({ attributes }: SavedObject): Record<string, Control> {
  const group = attributes.controlGroupInput as { panelsJSON: string } | undefined;
  return group === undefined ? {} : (JSON.parse(group.panelsJSON) as Record<string, Control>);
}

function partsOf(lens: SavedObject): { layerId: string; layer: Layer; visualization: Shown } {
  const state = lens.attributes.state as {
    datasourceStates: { formBased: { layers: Record<string, Layer> } };
    visualization: Shown;
  };
  const [[layerId, layer] = []] = Object.entries(state.datasourceStates.formBased.layers);
  if (layerId === undefined || layer === undefined) throw new Error(`${lens.id} has no layer`);
  return { layerId, layer, visualization: state.visualization };
}

function columnsShown({ metricAccessor, columns = [], layers = [] }: Shown): string[] {
  const shown = [
    ...(metricAccessor === undefined ? [] : [metricAccessor]),
    ...columns.map(({ columnId }) => columnId),
    ...layers.flatMap(({ xAccessor, splitAccessor, accessors = [] }) => [
      ...(xAccessor === undefined ? [] : [xAccessor]),
      ...(splitAccessor === undefined ? [] : [splitAccessor]),
      ...accessors,
    ]),
  ];
  expect(shown).not.toHaveLength(0);
  return shown;
}

function annotationsOf({ layers = [] }: Shown): Annotations[] {
  return layers.flatMap(({ layerId, annotations }) =>
    annotations === undefined ? [] : [{ layerId, annotations }],
  );
}

/** The type of a field in the index template of what a reference leads to: `keyword`. */
function mappingOf(object: SavedObject, reference: string, field: string): string | undefined {
  const to = object.references.find(({ name }) => name === reference);
  const title = BY_ID.get(to?.id ?? '')?.attributes.title;
  const mappings =
    title === STREAMS.decisions ? DECISIONS.mappings : title === STREAMS.views ? MAPPINGS : undefined;
  return mappings && typeIn(mappings.properties, field);
}

function typeIn(properties: Properties, field: string): string | undefined {
  let mapping: { type?: string; properties?: Properties } | undefined = { properties };
  for (const name of field.split('.')) mapping = mapping?.properties?.[name] as typeof mapping;
  return mapping?.type;
}

function fieldsIn(kql: string): string[] {
  return [...kql.matchAll(/[\w.]+(?=:)/g)].map(([field]) => field);
}

function range(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => from + index);
}
