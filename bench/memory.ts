import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

export type Memory = {
  /** Resident, with what the process has touched of the shared zones. */
  rssMb: number;
  /** Of that, memory shared between workers: dicts, upstream and limit zones. */
  zonesMb: number;
};

const LOOK_EVERY_MS = 250;

/** Watches a process; `stop` returns the most that it has held. */
export function watchMemory(pid: number): { stop(): Promise<Memory> } {
  const most: Memory = { rssMb: 0, zonesMb: 0 };
  let watching = true;
  const watched = watch();
  return {
    stop() {
      watching = false;
      return watched;
    },
  };

  async function watch(): Promise<Memory> {
    while (watching) {
      const now = await memoryOf(pid);
      most.rssMb = Math.max(most.rssMb, now.rssMb);
      most.zonesMb = Math.max(most.zonesMb, now.zonesMb);
      await sleep(LOOK_EVERY_MS);
    }
    return most;
  }
}

/** From /proc: nginx maps its zones from /dev/zero, shared. A process that is gone holds nothing. */
async function memoryOf(pid: number): Promise<Memory> {
  const text = await readFile(`/proc/${pid}/smaps`, 'utf8').catch(() => '');
  let rss = 0;
  let zones = 0;
  let isZone = false;
  for (const line of text.split('\n')) {
    const resident = /^Rss: +(\d+) kB/.exec(line)?.[1];
    if (resident !== undefined) {
      rss += Number(resident);
      if (isZone) zones += Number(resident);
    } else if (/^[\da-f]+-[\da-f]+ /.test(line)) {
      isZone = /^\S+ rw-s .*\/dev\/zero/.test(line);
    }
  }
  return { rssMb: rss / 1024, zonesMb: zones / 1024 };
}
