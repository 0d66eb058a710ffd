import { dirname } from 'node:path';
import type { Config } from '../service/config/config.ts';
import { makeFolder, type Owner } from '../service/make-folder.ts';
import { run } from '../service/run.ts';
import { switchUser } from '../service/switch-user.ts';
import { Trouble } from '../service/trouble.ts';
import type { Core } from './core.ts';
import { requireOwnState } from './own-state.ts';

type Account = Owner & { name: string; groups: number[] };

/**
 * Switches permanently to the user that `--user` names, and requires that the state belongs to that user. Creates folders that only root
 * can create first. Does nothing if no user is given. Rejects with a `Trouble`.
 */
export async function runAs(user: string | undefined, config: Config): Promise<void> {
  if (user !== undefined) await become(await accountOf(user), config);
  requireOwnState(config);
}

/** Warns if a service runs as root. */
export function warnOfRoot({ log }: Pick<Core, 'log'>): void {
  if (process.getuid?.() !== 0) return;
  const fix = "--user NAME runs it as that user, who only needs hotitem's folders";
  log.warn(
    { fix },
    'this runs as root: a vulnerability in it, or in a package that it uses, compromises the whole host',
  );
}

async function become(account: Account, config: Config): Promise<void> {
  const own = process.getuid?.();
  if (own === account.uid) return;
  if (own !== 0)
    throw new Trouble(
      `--user: only root can switch to another user (you are ${own})`,
      `Start it as root, or as ${account.name}: sudo -u ${account.name} hotitem …`,
    );
  makeFolders(config, account);
  switchUser(account, 'hotitem …');
}

/** Folders that others must traverse, and folders that they must not. The sidecar creates the spill folder, with its group. */
function makeFolders({ home, intake, spool, duckdb }: Config, account: Account): void {
  for (const path of [home, dirname(intake.socket)]) makeFolder(path, 0o755, account);
  for (const path of [spool.dir, dirname(duckdb.path)]) makeFolder(path, 0o750, account);
}

async function accountOf(user: string): Promise<Account> {
  const [name, uid, gid, groups] = await Promise.all(
    ['-un', '-u', '-g', '-G'].map((flag) => ask(flag, user)),
  );
  if (name !== undefined && uid !== undefined && gid !== undefined && groups !== undefined)
    return { name, uid: Number(uid), gid: Number(gid), groups: groups.split(' ').map(Number) };
  throw new Trouble(
    `--user: no such user (got ${JSON.stringify(user)})`,
    'useradd --system --shell /usr/sbin/nologin hotitem creates one.',
  );
}

async function ask(flag: string, user: string): Promise<string | undefined> {
  const { code, stdout } = await run('id', [flag, '--', user], { timeoutMs: 10_000 });
  return code === 0 && stdout.trim() !== '' ? stdout.trim() : undefined;
}
