import { describe, expect, test } from '@jest/globals';
import { ConfigError, loadConfig } from '../../../../service/config/config.ts';
import { SETTINGS } from '../../../../service/config/setting.ts';
import { heading } from '../../../../service/config/setting-types.ts';

describe('a configuration that cannot work is rejected at start', () => {
  test.each([
    ['kafka-topic', '..'],
    ['protect-headers', 'X-Forwarded-Proto'],
    ['protect-headers', 'Cookie: session=1'],
    ['protect-headers', 'keep-alive: hotitem-fill=0'],
    ['protect-headers', 'X-A: b\r\nCookie: c'],
    ['kafka-topic', '.'],
    ['kafka-topic', 'a/b'],
    ['kafka-topic', 'x'.repeat(250)],
    ['kafka-dead-letter-topic', 'collection_hot_item'],
    // Kafka itself refuses one of the two: their metrics would have the same name.
    ['kafka-dead-letter-topic', 'collection.hot.item'],
    ['kafka-brokers', 'kafka:99999'],
    ['kafka-brokers', 'kafka:0'],
    ['kafka-brokers', '::1:9092'],
    ['kafka-brokers', '[::g]:9092'],
    ['kafka-brokers', '999.0.0.1:9092'],
    ['kafka-brokers', '..:9092'],
    ['kafka-brokers', 'http://kafka:9092'],
    ['kafka-partitions', '10001'],
    ['kafka-replication-factor', '32768'],
    ['kafka-batch-bytes', String(2 ** 31)],
    ['admin-listen', '127.0.0.1:99999'],
    ['admin-listen', '*:9180'],
    ['admin-sink-listen', '-host:9181'],
    ['admin-allowed-hosts', 'https://shop.example.com'],
    ['admin-allowed-hosts', 'shop.example.com:8443'],
    ['elasticsearch-node', 'http://es:0'],
    ['elasticsearch-node', 'http://es:9200/?pretty'],
    ['elasticsearch-node', 'http://es:9200/#top'],
    ['elasticsearch-node', 'http://es:9200,http://es-2:9200'],
    ['elasticsearch-data-stream', 'Hot_Item'],
    ['elasticsearch-data-stream', '_hot'],
    ['elasticsearch-data-stream', '-hot'],
    ['elasticsearch-data-stream', '.ds-hot'],
    ['elasticsearch-data-stream', '..'],
    ['elasticsearch-shards', '1025'],
    ['elasticsearch-retention-days', '36501'],
    ['intake-socket', `${'x'.repeat(110)}.sock`],
    ['control-socket', `${'x'.repeat(110)}.sock`],
    // The workers of nginx may use that one.
    ['control-socket', 'run/intake.sock'],
    ['intake-socket-mode', '0444'],
    ['intake-max-request-bytes', String(2 ** 31)],
    // Longer than a timer of Node's can be, which then fires at once.
    ['shutdown-seconds', '2147484'],
    ['spool-max-bytes', '1000'],
    ['duckdb-memory-mb', '8'],
    ['node', 'web\n1'],
    ['spool-dir', 'a\0b'],
  ])('--%s %j', (flag, value) => {
    const path = SETTINGS.find((setting) => setting.flag === flag)?.path.join('.') ?? '';
    expect(problems({ [flag]: value })).toEqual([expect.stringContaining(`${path}`)]);
  });

  test.each([
    ['kafka-topic', 'x'.repeat(249)],
    ['kafka-topic', 'Shop.Views_1-b'],
    ['kafka-brokers', '[::1]:9092, kafka_1.internal:9092, 10.0.0.1:65535, a.b-c.example.com:1'],
    ['admin-listen', '[::]:9180'],
    ['admin-listen', '127.0.0.1:0'],
    ['admin-allowed-hosts', 'shop.example.com, [fd00::1], 10.0.0.1'],
    ['elasticsearch-node', 'https://[fd00::1]:9200/search'],
    ['elasticsearch-data-stream', 'logs-hot_item.1-default'],
  ])('and one that can is accepted: --%s %s', (flag, value) => {
    expect(problems({ [flag]: value })).toEqual([]);
  });

  test('a CA certificate without TLS is rejected', () => {
    const env = { ELASTICSEARCH_NODE: 'http://es:9200', HOTITEM_ELASTICSEARCH_CA_FILE: 'ca.pem' };
    expect(problems({}, env)).toEqual([
      'elasticsearch.ca_file: has no effect without https in elasticsearch.node',
    ]);
  });

  test.each([
    { HOTITEM_ELASTICSEARCH_API_KEY: 'hunter2\nX: y' },
    { HOTITEM_ELASTICSEARCH_API_KEY: 'hunter2 ü' },
  ])('an API key that cannot be in a header is rejected, and not shown', (env) => {
    expect(problems({}, env)).toEqual([expect.stringMatching(/^elasticsearch\.api_key: /)]);
    expect(problems({}, env).join()).not.toContain('hunter2');
  });
});

function problems(flags: Record<string, string>, env: Record<string, string> = {}): string[] {
  try {
    loadConfig({ env, flags });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems;
  }
}

test('a heading of CSV is trimmed, and contains nothing that separates fields', () => {
  expect(heading.parse(' Product name ')).toBe('Product name');
  for (const text of ['', ' ', 'a,b', 'a;b', 'a|b', 'a\tb', '"a"'])
    expect(heading.safeParse(text).success).toBe(false);
});
