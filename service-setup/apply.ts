import { dirname } from 'node:path';
import { makeFolder } from '../service/make-folder.ts';
import { replaceFile } from '../service/replace-file.ts';
import { Trouble } from '../service/trouble.ts';
import { type Account, makeUser, mayUser } from './account.ts';
import { SERVICE_USER } from './paths.ts';
import type { Plan, PlannedFile } from './plan.ts';
import { bringUp, isBooted, stateOf, systemctl } from './systemctl.ts';

export type Done = { outcome: 'made' | 'written' | 'kept' | 'running' | 'enabled'; what: string };

const ROOT = 0;
const FOLDER_MODE = 0o755;

/** Brings the host to what the plan says, and starts the service. Returns what was done. Throws a `Trouble`. */
export async function applyPlan(plan: Plan, { start }: { start: boolean }): Promise<Done[]> {
  const { config, unitFile, folders } = plan;
  const done: Done[] = [];
  const user = await completeUser(plan, done);
  if (config.before === undefined) {
    await put(config, user.gid);
    done.push({ outcome: 'written', what: config.path });
  }
  for (const folder of folders) {
    makeFolder(folder, FOLDER_MODE, user);
    done.push({ outcome: 'made', what: folder });
  }
  await requireRights(plan);
  const isNew = unitFile.before !== unitFile.text;
  if (isNew) await replace(unitFile, done);
  await bringTo(plan.unit, { start, isNew }, done);
  return done;
}

async function completeUser({ user, join }: Plan, done: Done[]): Promise<Account> {
  if (user !== undefined && join === undefined) return user;
  const made = await makeUser(join);
  done.push({
    outcome: 'made',
    what: `user ${SERVICE_USER}${join === undefined ? '' : `, member of ${join}`}`,
  });
  return made;
}

/** The kernel is asked, as that user: the service itself would only say that it cannot be started. */
async function requireRights({ config, node, program }: Plan): Promise<void> {
  const lacks = [
    ...((await mayUser('execute', node)) ? [] : [`run ${node}`]),
    ...((await mayUser('read', program)) ? [] : [`read ${program}`]),
    ...((await mayUser('read', config.path)) ? [] : [`read ${config.path}`]),
  ];
  if (lacks.length === 0) return;
  throw new Trouble(
    `the user ${SERVICE_USER} cannot ${lacks.join(', nor ')}`,
    `Parent folders need o+x, programs o+rx; the configuration: chown root:${SERVICE_USER}, chmod 640.`,
  );
}

/** The unit of before is kept beside it, where systemd does not look. */
async function replace(file: PlannedFile, done: Done[]): Promise<void> {
  if (file.before !== undefined) {
    const kept = `${file.path}.old`;
    await put({ ...file, path: kept, text: file.before }, ROOT);
    done.push({ outcome: 'kept', what: `${kept}, the previous version` });
  }
  await put(file, ROOT);
  done.push({ outcome: 'written', what: file.path });
}

async function put({ path, text, mode }: PlannedFile, gid: number): Promise<void> {
  makeFolder(dirname(path), FOLDER_MODE);
  await replaceFile(path, text, { mode, owner: { uid: ROOT, gid } });
}

async function bringTo(
  unit: string,
  { start, isNew }: { start: boolean; isNew: boolean },
  done: Done[],
): Promise<void> {
  const booted = isBooted();
  if (booted && isNew) await systemctl('daemon-reload');
  if ((await stateOf('is-enabled', unit)) !== 'enabled') {
    await systemctl('enable', '--quiet', unit);
    done.push({ outcome: 'enabled', what: `${unit}, at boot` });
  }
  if (!start || !booted) return;
  await bringUp(isNew ? 'restart' : 'start', unit);
  done.push({ outcome: 'running', what: unit });
}
