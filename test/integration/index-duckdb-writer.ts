import type { HotItemEvent } from '../../event/event.ts';
import { openDuckdbIndex } from '../../store/duckdb/duckdb.ts';

// Creates events 0, 1, 2 … in batches of 100 until it is killed, and tells how many were acknowledged.
const [path = ''] = process.argv.slice(2);
openDuckdbIndex({ path }).then(async (index) => {
  for (let from = 0; ; from += 100) {
    process.send?.(from);
    await index.create(Array.from({ length: 100 }, (_, i) => event(from + i)));
  }
});

function event(i: number): HotItemEvent {
  const id = i.toString(16).padStart(32, '0');
  return { v: 1, id, time: 1_795_000_000_000 + i, uri: '/web/item/1.html', item: '1', ip: '203.0.113.7' };
}
