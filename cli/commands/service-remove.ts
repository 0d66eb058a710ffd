import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run, tail } from '../../service/run.ts';
import { Trouble } from '../../service/trouble.ts';
import { removeUser } from '../../service-setup/account.ts';
import { ROLES, type Role } from '../../service-setup/folders.ts';
import { nginxUses } from '../../service-setup/nginx-uses.ts';
import { SERVICE_PATHS, SERVICE_USER } from '../../service-setup/paths.ts';
import { isBooted, stateOf, systemctl } from '../../service-setup/systemctl.ts';
import { unitName } from '../../service-setup/unit.ts';
import type { Command } from '../command.ts';
import { parseRole } from '../parse-role.ts';
import { askYes, print } from '../terminal.ts';

export const serviceRemove: Command = {
  about: 'stops the services and removes their units; with --purge also user, configuration and state',
  options: {
    purge: {
      type: 'boolean',
      about: `also remove ${SERVICE_PATHS.home}, with events that were not delivered`,
    },
    yes: { type: 'boolean', about: 'do not ask' },
  },
  words: ROLES,
  configured: false,
  async run({ flags, positionals, env }) {
    const roles = positionals.length === 0 ? ROLES : [parseRole(positionals)];
    if (process.getuid?.() !== 0) throw new Trouble('service remove: needs root');
    if (flags.purge === true) await mayPurge(roles, { yes: flags.yes === true, env });
    const there = roles.filter((role) => existsSync(unitFile(role)));
    if (there.length === 0 && flags.purge !== true) print('nothing to remove\n');
    for (const role of there) await removeUnit(role);
    if (flags.purge === true) await purge();
    return 0;
  },
};

async function mayPurge(
  roles: readonly Role[],
  { yes, env }: { yes: boolean; env: NodeJS.ProcessEnv },
): Promise<void> {
  const other = ROLES.find((role) => !roles.includes(role) && existsSync(unitFile(role)));
  if (other !== undefined)
    throw new Trouble(
      `--purge: ${unitName(other)} is still there and needs all of it`,
      'Without a name, both are removed.',
    );
  const use = await nginxUses(SERVICE_PATHS.home, env);
  if (use !== undefined)
    throw new Trouble(
      `--purge: nginx still writes below ${SERVICE_PATHS.home} (${use})`,
      "Remove hotitem's includes from its configuration and reload it first. Nothing was removed.",
    );
  const question = `remove ${SERVICE_PATHS.home}, with events that were not delivered, ${SERVICE_PATHS.config} and the user ${SERVICE_USER}?`;
  if (yes || (await askYes(`${question} `))) return;
  throw new Trouble(question, 'Nothing was removed. Use --yes without a terminal.');
}

async function removeUnit(role: Role): Promise<void> {
  const unit = unitName(role);
  const path = unitFile(role);
  if (isBooted()) await systemctl('disable', '--now', '--quiet', unit);
  else await systemctl('disable', '--quiet', unit);
  for (const file of [path, `${path}.old`]) rmSync(file, { force: true });
  if (isBooted()) {
    await systemctl('daemon-reload');
    if ((await stateOf('is-failed', unit)) === 'failed') await systemctl('reset-failed', unit);
  }
  print(`removed   ${path}\n`);
  const dropIns = `${path}.d`;
  if (existsSync(dropIns)) print(`kept      ${dropIns}, which is yours\n`);
}

/** Only paths that `service install` created: a folder named in the configuration may contain other files. */
async function purge(): Promise<void> {
  const { home, config } = SERVICE_PATHS;
  if (existsSync(home)) {
    // Not with Node: below is a folder of nginx's workers, who could swap in a link. This program uses descriptors.
    const ran = await run('rm', ['-rf', '--one-file-system', '--', home]);
    if (ran.code !== 0) throw new Trouble(`${home} cannot be removed: ${tail(ran)}`);
    print(`removed   ${home}\n`);
  }
  if (existsSync(config)) {
    rmSync(config);
    print(`removed   ${config}\n`);
  }
  const folder = dirname(config);
  if (existsSync(folder)) {
    if (readdirSync(folder).length === 0) rmdirSync(folder);
    else print(`kept      ${folder}, which contains files of yours\n`);
  }
  if (await removeUser()) print(`removed   user ${SERVICE_USER}\n`);
}

function unitFile(role: Role): string {
  return join(SERVICE_PATHS.units, unitName(role));
}
