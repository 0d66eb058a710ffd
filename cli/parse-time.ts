import { toInstant } from '../service/instant.ts';
import { UsageError } from './parse-command-line.ts';

const UNITS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * The instant that a flag says, ms since 1970: `now`, `-90m` before `now` (s, m, h, d), or ISO 8601, where a time without
 * a zone is UTC as all times that hotitem prints. Throws a `UsageError`.
 */
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

/** The ms that a text like `90m` says; undefined where it says none. */
export function durationOf(text: string): number | undefined {
  const [, digits, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits) * (UNITS[unit ?? ''] ?? 0);
}

function show(text: string): string {
  return JSON.stringify(text.slice(0, 60));
}
