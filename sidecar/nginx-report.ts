import { z } from 'zod';

const count = z
  .string()
  .regex(/^\d{1,15}$/)
  .transform(Number);

const report = z.object({
  /** When its shared memory was made, ms since 1970: a reload keeps it, a restart does not. */
  started: count,
  /** The version of the capture mode that it applies; 0: its own configuration. */
  version: count,
  /** In the shared zone now, not posted yet. */
  waiting: count,
  /** Left the shared zone: posted and answered. */
  flushed: count,
  /** Given to a subrequest to the sidecar. */
  handed: count,
  /** Sent to the spill file at once, because the sidecar was away. */
  diverted: count,
  /** Written to the spill file, for whatever reason. */
  spilled: count,
  /** Neither: the spill folder was full, or the sidecar takes not even one such line. */
  dropped: count,
  /** How often the spill folder became full. */
  fulls: count,
});

/** What nginx has counted since it started, as its poll tells it. Of views, but for `fulls`. */
export type NginxReport = z.output<typeof report>;

/** The report in a poll's query; undefined where a field is missing or is no count. */
export function toNginxReport(query: URLSearchParams): NginxReport | undefined {
  return report.safeParse(Object.fromEntries(query)).data;
}
