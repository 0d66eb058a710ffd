import { keepTrying } from '../service/keep-trying.ts';
import { reasonOf } from '../service/log.ts';
import type { Metrics } from '../service/metrics.ts';
import type { Consumer, Log } from '../store/log.ts';
import type { SIDECAR_METRICS } from './metrics.ts';

export type ForwarderOptions = {
  from: Log;
  cursor: string;
  to: Log;
  metrics: Metrics<typeof SIDECAR_METRICS>;
  warn: (key: string, message: string, fields?: object) => void;
};

/** Moves events from the spool to Kafka. A batch that is not acknowledged is sent again, for ever: it is safe in the spool. */
export function startForwarder({ from, cursor, to, metrics, warn }: ForwarderOptions): Promise<Consumer> {
  const forwarded = metrics.of('forwarded_total');
  const retries = metrics.of('forward_retries_total');
  return from.consume(cursor, async (batch, { signal, stopping }) => {
    await keepTrying(() => to.append(batch), { signal, stopping, onFailure });
    forwarded.add(batch.values.length);
  });

  function onFailure(error: unknown): void {
    retries.add();
    warn('kafka', 'Kafka does not take events; they wait in the spool', { reason: reasonOf(error) });
  }
}
