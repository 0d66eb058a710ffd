import { z } from 'zod';
import { IndexUnavailable } from '../event-index.ts';

/** What every search says. An answer that leaves out a shard, or came before the time was up, is none. */
export const complete = z.object({
  timed_out: z.literal(false),
  _shards: z.object({ total: z.number(), failed: z.literal(0) }),
});

/** An answer as it must look. Throws an `IndexUnavailable` where it does not: then nothing is known, and least of all a number. */
export function readAnswer<T>(schema: z.ZodType<T>, answer: unknown, about: string): T {
  const { success, data, error } = schema.safeParse(answer);
  if (success) return data;
  const where = error.issues[0]?.path.join('.') || 'all of it';
  throw unexpected(`${about}: ${where}`);
}

/** The error for an answer that is not to be trusted. */
export function unexpected(what: string): IndexUnavailable {
  return new IndexUnavailable(`what answers there is not Elasticsearch (${what})`, {
    why: 'refused',
  });
}
