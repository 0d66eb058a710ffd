import type { Batch, EventLog } from '../store/event-log.ts';

/**
 * A compacted topic as a log of what has a value. A tombstone clears its key: it is nothing to index, and nothing went wrong. `onTombstones`
 * is told how many were passed over, once for each batch that was acknowledged.
 */
export function withoutTombstones(log: EventLog, onTombstones: (count: number) => void): EventLog {
  return {
    append: log.append,
    consume: (name, handle) =>
      log.consume(name, async (batch, context) => {
        const rest = batch.undecodable === undefined ? withValues(batch) : batch;
        if (rest.values.length > 0) await handle(rest, context);
        const count = batch.values.length - rest.values.length;
        if (count > 0) onTombstones(count);
      }),
  };
}

function withValues(batch: Batch): Batch {
  const values = [...batch.values];
  if (values.every(({ length }) => length > 0)) return batch;
  const kept = values.flatMap(({ length }, at) => (length > 0 ? [at] : []));
  return {
    ...batch,
    values: values.filter(({ length }) => length > 0),
    position: (i) => batch.position(kept[i] ?? i),
    time: (i) => batch.time?.(kept[i] ?? i),
  };
}
