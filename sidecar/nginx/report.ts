import * as z from 'zod';

const count = z
  .string()
  .regex(/^\d{1,15}$/, 'must be a count')
  .transform(Number);

/** Older includes send fewer of them. */
const counted = count.default(0);

const report = z.object({
  /** When its shared memory was created, ms since 1970: a reload keeps it, a restart does not. */
  started: count,
  /** A random number chosen at that time: two nginx may start within the same millisecond. 0: older includes. */
  instance: counted,
  /** The version of the capture mode that it applies; 0: its own configuration. */
  version: counted,
  /** In the shared zone, not posted yet. */
  waiting: counted,
  /** Removed from the shared zone: posted and answered. */
  flushed: counted,
  /** Sent by subrequest to the sidecar. */
  handed: counted,
  /** Spilled without an attempt, because the sidecar was unavailable. */
  diverted: counted,
  /** Written to a spill file, for any reason. */
  spilled: counted,
  /** Dropped: the spill folder was full, or the sidecar rejects even a single such line. */
  dropped: counted,
  /** How often the spill folder became full. */
  fulls: counted,
  /** 1 while the workers cannot write to the spill folder, or it is missing. */
  spill_barred: counted,
  /** How many views a captured one represents now, 0 if none is captured; undefined for older includes. */
  one_in: z
    .string()
    .regex(/^\d{1,5}$/)
    .transform(Number)
    .optional()
    .catch(undefined),
  /** Whether off.conf is included in place of http.conf: nothing is captured, whatever the mode is. */
  off: z
    .string()
    .optional()
    .transform((text) => text === '1'),
  /** The version of its includes; undefined for older ones. */
  release: z
    .string()
    .regex(/^[\w.+-]{1,40}$/)
    .optional()
    .catch(undefined),
});

/** The counters of an nginx since its start, sent with each poll. In views, except `fulls` and `spill_barred`. */
export type NginxReport = z.output<typeof report>;

/**
 * Parses the report in a poll's query; undefined if it contains none. A missing counter is 0. `problem` names a field that is not a valid
 * count.
 */
export function toNginxReport(query: URLSearchParams): NginxReport | { problem: string } | undefined {
  if (!query.has('started')) return undefined;
  const parsed = report.safeParse(Object.fromEntries(query));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = String(issue?.path[0]);
  return { problem: `${field}: ${issue?.message} (got ${JSON.stringify(query.get(field)?.slice(0, 100))})` };
}
