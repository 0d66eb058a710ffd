import { existsSync } from 'node:fs';
import { run, tail } from '../service/run.ts';
import { Trouble } from '../service/trouble.ts';

/** Longer than a unit may take to start. */
const LONGEST_MS = 15 * 60_000;
const LOG_LINES = 15;

/** Whether systemd runs this machine, or container (sd_booted(3)). */
export function isBooted(): boolean {
  return existsSync('/run/systemd/system');
}

/** Runs `systemctl`. Throws a `Trouble` with what it says where it fails. */
export async function systemctl(...args: string[]): Promise<string> {
  const ran = await run('systemctl', args, { timeoutMs: LONGEST_MS });
  if (ran.missing) throw new Trouble('there is no systemctl: this host does not run systemd');
  if (ran.code !== 0) throw new Trouble(`systemctl ${args.join(' ')} failed: ${tail(ran)}`);
  return ran.stdout.trim();
}

/** The answer of `systemctl is-enabled` and the like: a word, whatever the exit status. */
export async function stateOf(question: 'is-enabled' | 'is-failed', unit: string): Promise<string> {
  return (await run('systemctl', [question, unit])).stdout.trim();
}

/** Starts a unit, or restarts it, and waits until it is ready. Throws a `Trouble` with the end of its log where it does not get there. */
export async function bringUp(verb: 'start' | 'restart', unit: string): Promise<void> {
  const ran = await run('systemctl', [verb, unit], { timeoutMs: LONGEST_MS });
  if (ran.code === 0) return;
  const log = await run('journalctl', [
    '--unit',
    unit,
    '--lines',
    String(LOG_LINES),
    '--output',
    'cat',
    '--no-pager',
  ]);
  throw new Trouble(
    `${unit} does not start. The end of its log:\n${log.stdout.trimEnd()}`,
    `It is restarted every few seconds. See systemctl status ${unit}; journalctl -u ${unit}`,
  );
}
