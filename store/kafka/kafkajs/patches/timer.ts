import { createRequire } from 'node:module';

type RequestQueue = { pending: unknown[]; scheduleCheckPendingRequests(): void };

/**
 * kafkajs 2.2.4 looks after each answer, and from then on every millisecond, for requests that wait for their turn: each
 * connection costs 6 % of a core while nothing happens. There is no option for it. With this it looks only while something
 * waits; a request that has to wait starts the look itself. May be called again. In a version whose queue is another one it
 * does nothing.
 */
export function calmTimers(): void {
  const queue: unknown = createRequire(import.meta.url)('kafkajs/src/network/requestQueue');
  if (typeof queue !== 'function' || !isRequestQueue(queue.prototype) || calmed.has(queue.prototype)) return;
  const { prototype } = queue;
  const schedule = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length > 0) schedule.call(this);
  };
  calmed.add(prototype);
}

const calmed = new WeakSet<RequestQueue>();

function isRequestQueue(value: unknown): value is RequestQueue {
  return (
    typeof value === 'object' &&
    value !== null &&
    'scheduleCheckPendingRequests' in value &&
    typeof value.scheduleCheckPendingRequests === 'function'
  );
}
