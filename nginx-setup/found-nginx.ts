import { run } from '../service/run.ts';
import { dumpSource, readConfiguration, splitDump } from './conf/configuration.ts';
import { diskSource } from './conf/disk-source.ts';
import { findWorker, type Worker } from './conf/worker.ts';
import { askNginx } from './program/ask-nginx.ts';

/** The user of its workers; undefined if that is not a working nginx. */
export async function workerOf({
  command,
  conf,
}: {
  command: string[];
  conf?: string;
}): Promise<Worker | undefined> {
  const asked = await askNginx(command, conf);
  if (asked === undefined) return undefined;
  const { build, dump } = asked;
  const files = dump === undefined ? undefined : splitDump(dump);
  const [main = conf ?? build.conf] = files?.keys() ?? [];
  return findWorker(build, readConfiguration(main, files === undefined ? diskSource : dumpSource(files)));
}

/** The name of their first group; undefined if this host has no such user, or they are root. */
export async function groupOf({ ids }: Worker): Promise<string | undefined> {
  const [gid] = ids?.gids ?? [];
  if (gid === undefined || ids?.uid === 0) return undefined;
  const { code, stdout } = await run('getent', ['group', String(gid)], { timeoutMs: 5_000 });
  return code === 0 ? stdout.split(':')[0] : String(gid);
}
