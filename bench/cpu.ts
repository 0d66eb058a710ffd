import { readFileSync } from 'node:fs';

/** The kernel counts CPU time in hundredths of a second, whatever its tick. */
const MICROSECONDS_A_TICK = 10_000;

/** CPU time that these processes have used, user and system, in microseconds. Those that are gone count nothing. */
export function cpuMicroseconds(pids: number[]): number {
  return pids.reduce((total, pid) => total + ofProcess(pid), 0);
}

/** CPU time that was used on all cores since the machine started, in microseconds, whoever used it. */
export function machineMicroseconds(): number {
  const [, user, nice, system, , , interrupts, soft, steal] = (
    readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? ''
  )
    .split(/\s+/)
    .map(Number);
  return [user, nice, system, interrupts, soft, steal].reduce<number>(
    (sum, ticks) => sum + (ticks ?? 0) * MICROSECONDS_A_TICK,
    0,
  );
}

function ofProcess(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold anything; what follows it is numbers.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * MICROSECONDS_A_TICK;
  } catch {
    return 0;
  }
}
