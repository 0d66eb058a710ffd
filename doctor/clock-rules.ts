import type { Finding } from '../service/finding.ts';
import { run } from '../service/run.ts';

/** A smaller difference may be network delay. */
export const SAME_TIME_MS = 60_000;

/** Whether the clock of this host is synchronised, according to systemd. */
export async function clockFindings(): Promise<Finding[]> {
  const asked = ['show', '--property=NTPSynchronized', '--value'];
  const { code, stdout } = await run('timedatectl', asked, { timeoutMs: 5_000 });
  if (code !== 0 || stdout.trim() !== 'no') return [];
  return [
    {
      id: 'clock-not-kept',
      severity: 'warning',
      what: 'the clock of this host is not synchronised',
      why: 'a view has the time of its nginx: rankings mix views of different times',
      fix: 'enable time synchronisation',
      command: SET_CLOCK,
    },
  ];
}

/** A finding for two clocks that differ; `whose` says which, and by how much. */
export function clockDiffers(whose: string): Finding {
  return {
    id: 'clock',
    severity: 'error',
    what: `clocks differ: ${whose}`,
    why: 'a view has the time of its nginx: it ranks in another hour, and Kafka rejects times far ahead',
    fix: 'correct the wrong clock, and enable time synchronisation',
    command: SET_CLOCK,
  };
}

const SET_CLOCK = 'timedatectl set-ntp true';
