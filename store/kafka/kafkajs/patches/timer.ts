import { replaceKafkajsModule } from './module.ts';

type RequestQueue = { pending: unknown[]; scheduleCheckPendingRequests(): void };

/**
 * kafkajs looks after each answer, and from then on every millisecond, for requests that wait for their turn: each connection costs 6 %
 * of a core while nothing happens. There is no option for it. With this it looks only while something waits; a request that has to
 * wait starts the look itself.
 */
export function calmTimers(): boolean {
  return replaceKafkajsModule<{ prototype: RequestQueue }>('network/requestQueue', (original) => {
    const { prototype } = original;
    const schedule = prototype?.scheduleCheckPendingRequests;
    if (typeof schedule !== 'function') return undefined;
    prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
      if (this.pending.length > 0) schedule.call(this);
    };
    return original;
  });
}
