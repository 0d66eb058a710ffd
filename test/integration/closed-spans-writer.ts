import { randomBytes } from 'node:crypto';
import type { HotItemEvent } from '../../event/event.ts';
import { openDuckdbIndex } from '../../store/duckdb/duckdb.ts';

// Closes spans and adds late events to them at the same time, until it is killed. Tells how many batches were acknowledged.
const DAY_MS = 86_400_000;
const FIRST = Date.UTC(2026, 10, 1);
const [path = ''] = process.argv.slice(2);
let now = FIRST + 5 * DAY_MS;
openDuckdbIndex({ path, retentionDays: 365, now: () => now }).then(async (index) => {
  void close();
  for (let batches = 0; ; batches++) {
    const time = FIRST + (batches % 3) * DAY_MS;
    await index.create([event(time, `${batches % 7}`), event(time + 1, 'each')]);
    process.send?.(batches);
  }

  async function close(): Promise<void> {
    for (;;) {
      // A span is closed ten minutes after its last late event.
      now += 600_000;
      await index.closeSpan();
    }
  }
});

function event(time: number, item: string): HotItemEvent {
  return { v: 1, id: randomBytes(16).toString('hex'), time, uri: '/', item, ip: '203.0.113.7' };
}
