import { type Finding, shellWord } from '../service/finding.ts';
import { plainText } from '../service/plain-text.ts';
import { run } from '../service/run.ts';

/** The id of systemd's message with the reason why a unit failed (SD_MESSAGE_UNIT_FAILURE_RESULT). */
const FAILURE_RESULT = 'd9b373ed55a64feb8242e02dbe79a49c';
const LONGEST_MS = 30_000;
const RESULT_CHARACTERS = 40;

type Cause = Pick<Finding, 'id' | 'why' | 'fix'> & {
  /** What happened to the service. */
  happened: string;
  command: (unit: string) => string;
};

const journal = (unit: string) => `journalctl --unit ${shellWord(unit)} --since -1day --priority warning`;

/** By systemd's name of the result (systemd.service(5), $SERVICE_RESULT). */
const CAUSES: Readonly<Record<string, Cause>> = {
  'oom-kill': {
    id: 'service-out-of-memory',
    happened: 'was killed because memory ran out',
    why: 'it exceeded MemoryMax of its unit, or this host has too little memory: it continues where it was; meanwhile nginx writes spill files',
    fix: 'lower duckdb.memory_mb, or raise the limit',
    command: (unit) => `systemctl set-property ${shellWord(unit)} MemoryMax=2G`,
  },
  signal: {
    id: 'service-killed',
    happened: 'was killed by a signal',
    why: 'by hand, or by the kernel because memory ran out (which the kernel logs): it continues where it was; meanwhile nginx writes spill files',
    fix: 'see the kernel log; if memory ran out, lower duckdb.memory_mb, or raise MemoryMax with systemctl edit',
    command: () => "journalctl --dmesg --since -1day --grep 'out of memory|oom'",
  },
  watchdog: {
    id: 'service-hung',
    happened: 'was killed because it did not answer for WatchdogSec',
    why: 'it hung, or this host gave it no CPU or disk for that long',
    fix: 'see its last log lines; if the host is too busy, give the unit more CPUWeight',
    command: journal,
  },
};

const OTHER: Cause = {
  id: 'service-failed',
  happened: 'failed',
  why: 'it logged the reason before it exited, unless it crashed',
  fix: 'see what it logged last',
  command: journal,
};

/** Whether systemd restarted a service in the last day, and why. Only root and the group of the journal can read this. */
export async function killedFindings(services: { name: string }[]): Promise<Finding[]> {
  const found = await Promise.all(services.map(({ name }) => findingsOf(`hotitem-${name}.service`)));
  return found.flat();
}

async function findingsOf(unit: string): Promise<Finding[]> {
  const { stdout } = await run(
    'journalctl',
    [
      ...['--unit', unit, '--since', '-1day', '--output', 'json', '--output-fields', 'UNIT_RESULT'],
      // The latest first: if there are thousands, the rest may be cut off.
      ...['--reverse', '--quiet', `MESSAGE_ID=${FAILURE_RESULT}`],
    ],
    { timeoutMs: LONGEST_MS },
  );
  return failureFindings(unit, stdout);
}

/** One finding per result, from journal entries with one JSON object per line. */
export function failureFindings(unit: string, entries: string): Finding[] {
  const failures = new Map<string, { times: number; last: number }>();
  for (const line of entries.split('\n')) {
    const entry = fromJson(line);
    if (entry === undefined) continue;
    const result = plainText(String(entry.UNIT_RESULT), RESULT_CHARACTERS);
    const { times = 0, last = 0 } = failures.get(result) ?? {};
    const at = Number(entry.__REALTIME_TIMESTAMP) / 1000 || 0;
    failures.set(result, { times: times + 1, last: Math.max(last, at) });
  }
  return [...failures].map(([result, { times, last }]) => {
    const { happened, command, ...cause } = CAUSES[result] ?? OTHER;
    const often = times === 1 ? 'once' : `${times} times`;
    return {
      ...cause,
      severity: 'warning',
      what: `${unit} ${happened} ${often} in the last day, last at ${new Date(last).toISOString()} (${result})`,
      command: command(unit),
    };
  });
}

function fromJson(line: string): { UNIT_RESULT?: unknown; __REALTIME_TIMESTAMP?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
