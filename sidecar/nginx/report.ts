import { z } from 'zod';

const count = z
  .string()
  .regex(/^\d{1,15}$/, 'must be a count')
  .transform(Number);

/** An older include sends fewer of them. */
const counted = count.default(0);

const report = z.object({
  /** When its shared memory was made, ms since 1970: a reload keeps it, a restart does not. */
  started: count,
  /** Chosen at random then: two nginx may start within the same millisecond. 0: an older include. */
  instance: counted,
  /** The version of the capture mode that it applies; 0: its own configuration. */
  version: counted,
  /** In the shared zone now, not posted yet. */
  waiting: counted,
  /** Left the shared zone: posted and answered. */
  flushed: counted,
  /** Sent by subrequest to the sidecar. */
  handed: counted,
  /** Sent to the spill file at once, because the sidecar was unavailable. */
  diverted: counted,
  /** Written to the spill file, for whatever reason. */
  spilled: counted,
  /** Neither: the spill folder was full, or the sidecar takes not even one such line. */
  dropped: counted,
  /** How often the spill folder became full. */
  fulls: counted,
  /** 1 while the spill folder takes nothing from the workers: they may not write to it, or it is not there. */
  spill_barred: counted,
  /** Views behind one that it captures now, 0 for none; undefined where an older include does not say. */
  one_in: z
    .string()
    .regex(/^\d{1,5}$/)
    .transform(Number)
    .optional()
    .catch(undefined),
  /** Whether off.conf is in place of http.conf: nothing is captured, whatever it is told. */
  off: z
    .string()
    .optional()
    .transform((text) => text === '1'),
  /** The version of hotitem that wrote its includes; undefined where an older one does not say. */
  release: z
    .string()
    .regex(/^[\w.+-]{1,40}$/)
    .optional()
    .catch(undefined),
});

/** What nginx has counted since it started, as its poll tells it. Of views, but for `fulls` and `spill_barred`. */
export type NginxReport = z.output<typeof report>;

/**
 * The report in a poll's query; undefined where it holds none. A counter that is missing is 0. `problem` names a field that
 * is no count.
 */
export function toNginxReport(query: URLSearchParams): NginxReport | { problem: string } | undefined {
  if (!query.has('started')) return undefined;
  const parsed = report.safeParse(Object.fromEntries(query));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = String(issue?.path[0]);
  return { problem: `${field}: ${issue?.message} (got ${JSON.stringify(query.get(field)?.slice(0, 100))})` };
}
