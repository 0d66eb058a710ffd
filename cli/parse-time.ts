import { toInstant } from '../service/instant.ts';
import { UsageError } from './parse-command-line.ts';

const UNITS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Parses a time, ms since 1970: `now`, `-90m` before `now` (s, m, h, d), or ISO 8601; UTC if it has no zone. Throws a `UsageError`. */
export function parseTime(flag: string, text: string, now: number): number {
  if (text === 'now') return now;
  const duration = durationOf(text.replace(/^-/, ''));
  if (duration !== undefined && text.startsWith('-')) return now - duration;
  const time = toInstant(text);
  if (time === undefined) {
    throw new UsageError(
      `--${flag}: must be like 2026-07-01T12:00:00Z, 2026-07-01, -2h or now (got ${show(text)})`,
    );
  }
  return time;
}

/** Parses a duration like `90m`, in ms; undefined if it is invalid. */
export function durationOf(text: string): number | undefined {
  const [, digits, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits) * (UNITS[unit ?? ''] ?? 0);
}

function show(text: string): string {
  return JSON.stringify(text.slice(0, 60));
}
