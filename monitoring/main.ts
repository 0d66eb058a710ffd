import { readFileSync, writeFileSync } from 'node:fs';
import { METRIC_GROUPS } from './metric-lists.ts';
import { metricsTables, withTables } from './metrics-table.ts';

/** `npm run docs`: writes what of the documentation is made from the code. */
const path = new URL('../docs/metrics.md', import.meta.url);
writeFileSync(path, withTables(readFileSync(path, 'utf8'), metricsTables(METRIC_GROUPS)));
