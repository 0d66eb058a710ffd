import * as z from 'zod';
import { IndexUnavailable } from '../event-index.ts';

/** Common to all search responses. A response that lacks a shard, or timed out, is not used. */
export const complete = z.object({
  timed_out: z.literal(false),
  _shards: z.object({ total: z.number(), failed: z.literal(0) }),
});

/** Validates a response. Throws an `IndexUnavailable` if it is incomplete: then nothing is known, least of all a count. */
export function readAnswer<T>(schema: z.ZodType<T>, answer: unknown, about: string): T {
  const { success, data, error } = schema.safeParse(answer);
  if (success) return data;
  const where = error.issues[0]?.path.join('.') || 'all of it';
  throw unexpected(`${about}: ${where}`);
}

/** The error for a response that cannot be trusted. */
export function unexpected(what: string): IndexUnavailable {
  return new IndexUnavailable(`what answers there is not Elasticsearch (${what})`, {
    why: 'refused',
  });
}
