import { replaceKafkajsModule } from './module.ts';

type RequestQueue = { pending: unknown[]; scheduleCheckPendingRequests(): void };

/**
 * After each response, kafkajs checks every millisecond whether requests wait: each idle connection costs 6 % of a core, and there is no
 * option against it. With this patch it checks only while a request waits; such a request starts the check.
 */
export function calmTimers(): boolean {
  return replaceKafkajsModule<{ prototype: RequestQueue }>('network/requestQueue/index', (original) => {
    const { prototype } = original;
    const schedule = prototype?.scheduleCheckPendingRequests;
    if (typeof schedule !== 'function') return undefined;
    prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
      if (this.pending.length > 0) schedule.call(this);
    };
    return original;
  });
}
