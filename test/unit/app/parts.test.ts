import { describe, expect, test } from '@jest/globals';
import { partsOf, serviceAddresses, wayOf } from '../../../app/parts.ts';
import { loadConfig } from '../../../service/config/config.ts';

const KAFKA = { KAFKA_BROKERS: 'a:9092,b:9092' };
const ELASTICSEARCH = { ELASTICSEARCH_NODE: 'http://es:9200' };
const HOME = { home: '/srv/hotitem' };

describe('which parts a configuration runs', () => {
  test.each([
    {
      env: {},
      kafka: false,
      index: 'duckdb',
      cursor: 'duckdb',
      way: ['DuckDB /srv/hotitem/duckdb/hotitem.duckdb'],
    },
    {
      env: ELASTICSEARCH,
      kafka: false,
      index: 'elasticsearch',
      cursor: 'elasticsearch',
      way: ['Elasticsearch http://es:9200'],
    },
    {
      env: KAFKA,
      kafka: true,
      index: 'duckdb',
      cursor: 'kafka',
      way: ['Kafka a:9092,b:9092', 'sink', 'DuckDB /srv/hotitem/duckdb/hotitem.duckdb'],
    },
    {
      env: { ...KAFKA, ...ELASTICSEARCH },
      kafka: true,
      index: 'elasticsearch',
      cursor: 'kafka',
      way: ['Kafka a:9092,b:9092', 'sink', 'Elasticsearch http://es:9200'],
    },
  ])('with $env', ({ env, way, ...parts }) => {
    const config = loadConfig({ env, flags: HOME });

    expect(partsOf(config)).toEqual(parts);
    expect(wayOf(config)).toEqual(way);
  });

  test.each([
    { env: {}, services: ['sidecar'] },
    { env: KAFKA, services: ['sidecar', 'sink'] },
  ])('services with $env', ({ env, services }) => {
    const addresses = serviceAddresses(loadConfig({ env, flags: HOME }));

    expect(addresses.map(({ name }) => name)).toEqual(services);
  });
});
