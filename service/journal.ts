import { fstatSync } from 'node:fs';

/** Levels of pino from which on a syslog severity applies (RFC 5424, section 6.2.1). */
const SEVERITIES = [
  { from: 60, severity: 2 },
  { from: 50, severity: 3 },
  { from: 40, severity: 4 },
  { from: 30, severity: 6 },
] as const;
const DEBUG = 7;
export const ERROR_LEVEL = 50;

/**
 * Whether systemd has connected this descriptor to its journal. JOURNAL_STREAM alone is not enough: processes inherit it even if their
 * output goes elsewhere (systemd.exec(5)).
 */
export function isJournal(fd: number, env: Record<string, string | undefined>): boolean {
  if (env.JOURNAL_STREAM === undefined) return false;
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return env.JOURNAL_STREAM === `${dev}:${ino}`;
  } catch {
    return false;
  }
}

/** Lines with the prefix of the level that journald parses (SyslogLevelPrefix=, on by default). `level` is pino's. */
export function forJournal(lines: string, level: number): string {
  const severity = SEVERITIES.find(({ from }) => level >= from)?.severity ?? DEBUG;
  return lines.replace(/^(?=.)/gm, `<${severity}>`);
}

/** The same for a JSON log line, which begins with its level. */
export function logLineForJournal(line: string): string {
  return forJournal(line, Number(/^{"level":(\d+)/.exec(line)?.[1] ?? ERROR_LEVEL));
}
