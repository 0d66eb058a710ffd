import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { processIds } from '../../service/processes.ts';

/** An nginx that runs on this host, from the process title of its master. */
export type RunningNginx = {
  pid: number;
  program: string;
  /** The configuration file of its -c option; undefined if it has none. */
  conf: string | undefined;
};

/**
 * `nginx: master process /usr/sbin/nginx -c /etc/nginx/other.conf`: nginx writes its command line into its title. If a program loader
 * started it, the title follows the words of the loader.
 */
const TITLE = /(?:^|\0)nginx: master process ([^\s\0]+)([^\0]*)/;

/** The visible masters: all except those in other containers. Empty if there is no /proc. */
export async function runningNginx(): Promise<RunningNginx[]> {
  const found = await Promise.all(
    (await processIds()).map(async (pid) => {
      const title = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return parseTitle(pid, title);
    }),
  );
  return found.flatMap((one) => one ?? []);
}

/** Parses a process title from /proc; undefined if it is not an nginx master. */
export function parseTitle(pid: number, title: string): RunningNginx | undefined {
  const [, program, rest = ''] = TITLE.exec(title) ?? [];
  if (program === undefined) return undefined;
  const conf = option(rest, 'c');
  const prefix = option(rest, 'p');
  if (conf === undefined) return { pid, program, conf };
  return { pid, program, conf: prefix === undefined ? conf : resolve(prefix, conf) };
}

function option(args: string, letter: string): string | undefined {
  return new RegExp(`(?:^|\\s)-${letter}\\s*(\\S+)`).exec(args)?.[1];
}
