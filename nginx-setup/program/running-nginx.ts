import { readdir, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';

/** An nginx that runs on this host, by the title of its master. */
export type RunningNginx = {
  pid: number;
  program: string;
  /** The configuration that it was told to read; undefined where it was told none. */
  conf: string | undefined;
};

/**
 * `nginx: master process /usr/sbin/nginx -c /etc/nginx/other.conf`: nginx writes its command line into its title, which begins behind
 * the words of a loader that it was started by.
 */
const TITLE = /(?:^|\0)nginx: master process ([^\s\0]+)([^\0]*)/;

/** The masters that can be seen, which is all of them but in other containers. Empty where there is no /proc. */
export async function runningNginx(): Promise<RunningNginx[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const title = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return parseTitle(Number(pid), title);
    }),
  );
  return found.flatMap((one) => one ?? []);
}

/** Parsed from a process title in /proc; undefined if it is not a master of nginx. */
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
