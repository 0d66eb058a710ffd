import { reasonOf } from '../service/log.ts';
import { type Ran, run, tail } from '../service/run.ts';
import { Trouble } from '../service/trouble.ts';
import { SERVICE_PATHS, SERVICE_USER } from './paths.ts';

const LONGEST_MS = 30_000;

export type Account = { uid: number; gid: number; groups: string[] };

/** The user that the services run as; undefined where there is none. */
export async function findUser(): Promise<Account | undefined> {
  const [uid, gid, groups] = await Promise.all(['-u', '-g', '-nG'].map(askId));
  if (uid === undefined || gid === undefined || groups === undefined) return undefined;
  return { uid: Number(uid), gid: Number(gid), groups: groups.split(/\s+/) };
}

async function askId(flag: string): Promise<string | undefined> {
  const { code, stdout } = await run('id', [flag, '--', SERVICE_USER], { timeoutMs: LONGEST_MS });
  return code === 0 ? stdout.trim() : undefined;
}

/** The name of a group that is given by name or number. Throws a `Trouble` if there is none: a mistyped one must not be created. */
export async function groupName(group: string): Promise<string> {
  const { code, stdout } = await run('getent', ['group', '--', group], { timeoutMs: LONGEST_MS });
  if (code === 0) return stdout.split(':')[0] ?? group;
  throw new Trouble(
    `intake.socket_group: no such group (got ${group})`,
    "It is the group of nginx's workers: www-data on Debian, nginx with the packages of nginx.org.",
  );
}

/** Makes the user and the group of its name, and the user a member of `group`. What exists stays. Throws a `Trouble`. */
export async function makeUser(group: string | undefined): Promise<Account> {
  const lines = [`u ${SERVICE_USER} - "hotitem" ${SERVICE_PATHS.home}`];
  if (group !== undefined) lines.push(`m ${SERVICE_USER} ${group}`);
  const ran = await run('systemd-sysusers', ['--inline', ...lines], { timeoutMs: LONGEST_MS });
  failUnless(ran, `the user ${SERVICE_USER} cannot be created`);
  const made = await findUser();
  if (made === undefined) throw new Trouble(`the user ${SERVICE_USER} was created but is not known here`);
  return made;
}

/** Removes it with its group and memberships; nothing where there is none. Throws a `Trouble`. */
export async function removeUser(): Promise<boolean> {
  if ((await findUser()) === undefined) return false;
  failUnless(
    await run('userdel', ['--', SERVICE_USER], { timeoutMs: LONGEST_MS }),
    `the user ${SERVICE_USER} cannot be removed`,
  );
  return true;
}

/** Whether the user of the services may do that with a path: asked of the kernel, as that user. */
export async function mayUser(what: 'read' | 'execute', path: string): Promise<boolean> {
  const as = [`--reuid=${SERVICE_USER}`, `--regid=${SERVICE_USER}`, '--init-groups'];
  const test = ['test', what === 'read' ? '-r' : '-x', path];
  return (await run('setpriv', [...as, '--', ...test], { timeoutMs: LONGEST_MS })).code === 0;
}

function failUnless(ran: Ran, what: string): void {
  if (ran.code !== 0) throw new Trouble(`${what}: ${reasonOf(tail(ran))}`);
}
