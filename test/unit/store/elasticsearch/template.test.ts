import { expect, test } from '@jest/globals';
import type { HotItemEvent } from '../../../../event/event.ts';
import { MAPPINGS } from '../../../../store/elasticsearch/mappings.ts';
import { indexTemplate, TEMPLATE_VERSION } from '../../../../store/elasticsearch/template.ts';
import { documentOf } from '../../../parts/ecs-document.ts';

const COMPLETE: Required<HotItemEvent> = {
  v: 1,
  id: '01a2038a1aa34b6e0c700ca5c40ed364',
  time: 1_795_355_712_163,
  uri: '/web/item/4711.html',
  raw: '/web//item/4711.html',
  args: 'from=mail',
  item: '4711',
  ip: '203.0.113.7',
  host: 'www.example.com',
  method: 'GET',
  ua: 'Mozilla/5.0',
  ref: 'https://www.example.com/',
  node: 'web-1',
  visitor: '6f1c2a9e0b5d4738',
  kind: 'head',
  bot: true,
  weight: 2,
  name: 'A shoe',
  category: 'Shoes',
  cut: ['ua'],
};

test('every field of a document is mapped, and no other', () => {
  expect(mappedFields(MAPPINGS).sort()).toEqual(fieldsOf(documentOf(COMPLETE)).sort());
});

test('every text that a client chooses has a limit below that of a term, 32,766 bytes', () => {
  const limits = [...JSON.stringify(MAPPINGS).matchAll(/"ignore_above":(\d+)/g)].map(([, limit]) =>
    Number(limit),
  );

  expect(limits.filter((limit) => limit * 4 > 32_766)).toEqual([]);
});

test('the template matches exactly one name', () => {
  expect(indexTemplate({ dataStream: 'hot_item' })).toMatchObject({
    name: 'hot_item',
    index_patterns: ['hot_item'],
    priority: 500,
    version: TEMPLATE_VERSION,
    _meta: { version: TEMPLATE_VERSION },
  });
});

test('retention, refresh, shards and replicas follow the options', () => {
  const options = { dataStream: 'views', retentionDays: 7, refreshSeconds: 5, shards: 3, replicas: 2 };

  const { settings, lifecycle } = indexTemplate(options).template;

  expect(lifecycle).toEqual({ data_retention: '7d' });
  expect(settings).toEqual({ index: { number_of_shards: 3, number_of_replicas: 2, refresh_interval: '5s' } });
});

function mappedFields(mapping: object, path: string[] = []): string[] {
  if (!('properties' in mapping)) return [path.join('.')];
  return Object.entries(mapping.properties as object).flatMap(([name, inner]) =>
    mappedFields(inner, [...path, name]),
  );
}

function fieldsOf(value: unknown, path: string[] = []): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [path.join('.')];
  return Object.entries(value).flatMap(([name, inner]) => fieldsOf(inner, [...path, name]));
}
