import { DuckDBInstance } from '@duckdb/node-api';
import { openDuckdbIndex } from '../../store/duckdb/duckdb.ts';

/** Makes an index at `path` in which every query over the events runs for hours. */
export async function writeEndlessIndex(path: string): Promise<void> {
  await (await openDuckdbIndex({ path })).close();
  const instance = await DuckDBInstance.create(path);
  const connection = await instance.connect();
  await connection.run(`
    DROP TABLE events;
    CREATE VIEW events AS
      SELECT uuid() AS id, make_timestamp_ms(epoch_ms(now()) - i % 1000) AS time, 'item ' || i % 50 AS item, 1::DOUBLE AS weight,
        NULL::VARCHAR AS kind, FALSE AS bot, NULL::VARCHAR AS visitor, '203.0.113.7' AS ip, NULL::VARCHAR AS ua
      FROM range(1000000000000) AS numbers(i)`);
  connection.closeSync();
  instance.closeSync();
}
