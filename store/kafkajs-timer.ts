import { patchKafkajs } from './kafkajs-patch.ts';

type RequestQueue = { pending: unknown[]; scheduleCheckPendingRequests(): void };

/**
 * kafkajs 2.2.4 looks after each answer, and from then on every millisecond, for requests that wait for their turn: each
 * connection costs 6 % of a core while nothing happens. With this it looks only while something waits; a request that has to
 * wait starts the look itself.
 */
export function calmTimers(): void {
  patchKafkajs<RequestQueue>('network/requestQueue', 'scheduleCheckPendingRequests', (prototype) => {
    const schedule = prototype.scheduleCheckPendingRequests;
    prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
      if (this.pending.length > 0) schedule.call(this);
    };
  });
}
