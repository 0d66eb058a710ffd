import { readFile } from 'node:fs/promises';
import { processIds } from '../../service/processes.ts';

/** The users whom php-fpm runs scripts as on this host, as far as its processes can be seen: uid and name of the process. */
export async function runningPhp(): Promise<{ uid: number; program: string }[]> {
  const found = await Promise.all(
    (await processIds()).map(async (pid) =>
      phpOf(await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')),
    ),
  );
  return found.flatMap((one) => one ?? []);
}

/** From /proc/PID/status; undefined for another program, and for a master, which runs no script. */
export function phpOf(status: string): { uid: number; program: string } | undefined {
  const program = /^Name:\s*(php-fpm\S*)/m.exec(status)?.[1];
  const uid = Number(/^Uid:\s*\d+\s+(\d+)/m.exec(status)?.[1]);
  return program === undefined || !(uid > 0) ? undefined : { uid, program };
}
