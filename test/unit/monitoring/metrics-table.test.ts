import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { METRIC_GROUPS } from '../../../monitoring/metric-lists.ts';
import { metricsTables, withTables } from '../../../monitoring/metrics-table.ts';

test('docs/metrics.md is what the code exports; `npm run docs` writes it', () => {
  const document = readFileSync(join(import.meta.dirname, '../../../docs/metrics.md'), 'utf8');
  expect(document).toBe(withTables(document, metricsTables(METRIC_GROUPS)));
});

test('a document without the two marks is left alone', () => {
  expect(() => withTables('# Metrics\n', '')).toThrow('no <!-- begin');
});
