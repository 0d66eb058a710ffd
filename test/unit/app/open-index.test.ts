import { afterAll, expect, jest, test } from '@jest/globals';
import { createCore } from '../../../app/core.ts';
import { openIndex } from '../../../app/open-index.ts';
import { loadConfig } from '../../../service/config/config.ts';
import { temporaryFolder } from '../../parts/guard.ts';
import { until } from '../../parts/until.ts';

const HOUR_MS = 3_600_000;
const folder = temporaryFolder('open-index');
afterAll(folder.remove);

test('a failure to delete old events of DuckDB is counted and told', async () => {
  const lines: string[] = [];
  // A folder is no DuckDB file.
  const core = createCore(loadConfig({ env: { HOTITEM_DUCKDB_PATH: folder.path }, flags: {} }), {
    write: (line) => lines.push(line),
  });
  const every = jest.spyOn(globalThis, 'setInterval');
  await openIndex(core);
  const [retain] = every.mock.calls.find(([, ms]) => ms === HOUR_MS) ?? [];
  every.mockRestore();

  retain?.();
  const counted = async () =>
    (await core.registry.metrics()).includes('hotitem_duckdb_failures_total{work="retain"} 1');
  await until(counted, { timeoutMs: 10_000, what: 'the failure to be counted' });

  expect(lines.join('')).toContain('old events could not be removed');
  await core.shutdown.run();
});
