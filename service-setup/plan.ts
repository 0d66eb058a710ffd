import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { installedVersion } from '../nginx-setup/install-version.ts';
import { type Config, loadConfig } from '../service/config/config.ts';
import { parseSettings } from '../service/config/parse-settings.ts';
import { SETTINGS } from '../service/config/setting.ts';
import { PACKAGE_ROOT } from '../service/package-root.ts';
import { Trouble } from '../service/trouble.ts';
import { type Account, findUser, groupName } from './account.ts';
import { type Role, serviceFolders } from './folders.ts';
import { SERVICE_PATHS, SERVICE_USER } from './paths.ts';
import { unitName, unitText } from './unit.ts';
import { workersGroup } from './workers-group.ts';

export type PlanOptions = {
  role: Role;
  configFile: string;
  /** The group of nginx's workers, if it was given. */
  group: string | undefined;
  env: Record<string, string | undefined>;
};

/** A file as it should be; `before` is its current text, undefined if there is none. */
export type PlannedFile = { path: string; text: string; before: string | undefined; mode: number };

/** What a service needs on this host, and what of it is missing. */
export type Plan = {
  unit: string;
  /** Written first, and never again: it is the operator's. */
  config: PlannedFile;
  unitFile: PlannedFile;
  /** Folders that systemd does not make, and that are missing. */
  folders: string[];
  /** The current user, and the group that it should join. */
  user: Account | undefined;
  join: string | undefined;
  node: string;
  program: string;
};

const CONFIG_MODE = 0o640;
const UNIT_MODE = 0o644;
const OTHERS_WRITE = 0o002;

/** Looks at the host and changes nothing. Throws a `Trouble` or a `ConfigError` where the service could not work. */
export async function planService({ role, configFile, group, env }: PlanOptions): Promise<Plan> {
  const node = process.execPath;
  const program = join(PACKAGE_ROOT, 'bin/hotitem.mjs');
  const before = textAt(configFile);
  const settings = before === undefined ? await newSettings(role, configFile, { group, env }) : {};
  const config = loadConfig({
    ...(before !== undefined && { file: configFile }),
    env: secretsOf(env),
    flags: settings,
  });
  if (before !== undefined) requireAbsoluteHome(before, configFile);
  const workers = role === 'sidecar' ? groupOf(config, configFile, group) : undefined;
  const unitFile = join(SERVICE_PATHS.units, unitName(role));
  const version = await installedVersion();
  const user = await findUser();
  const needed = workers === undefined ? undefined : await groupName(workers);
  const isMember = needed === undefined || user?.groups.includes(needed) === true;
  return {
    unit: unitName(role),
    config: { path: configFile, text: before ?? configText(settings), before, mode: CONFIG_MODE },
    unitFile: {
      path: unitFile,
      text: unitText({ role, configFile, config, node, program, version }),
      before: textAt(unitFile),
      mode: UNIT_MODE,
    },
    folders: serviceFolders(role, config).others.filter((path) => !existsSync(path)),
    user,
    join: isMember ? undefined : needed,
    node,
    program,
  };
}

type NewSettings = { home?: string; 'intake-socket'?: string; 'intake-socket-group'?: string };

/** The settings of a host that has none, by their flags. */
async function newSettings(
  role: Role,
  configFile: string,
  { group, env }: Pick<PlanOptions, 'group' | 'env'>,
): Promise<NewSettings> {
  if (role === 'sink')
    throw new Trouble(
      `${configFile} is missing: a sink needs kafka.brokers`,
      `Write it first, with home: ${SERVICE_PATHS.home} and kafka.brokers; hotitem.example.yml shows how.`,
    );
  const workers = group ?? (await workersGroup(env));
  if (workers === undefined)
    throw new Trouble(
      'no nginx is installed on this host',
      'Install nginx first, or set the group of its workers: --group www-data',
    );
  return {
    home: SERVICE_PATHS.home,
    'intake-socket': join(SERVICE_PATHS.run, 'intake.sock'),
    'intake-socket-group': workers,
  };
}

function configText(settings: NewSettings): string {
  return `# Settings of every hotitem command on this host. All of them: hotitem sidecar --help
home: ${settings.home}
intake:
  socket: ${settings['intake-socket']}
  socket_group: ${settings['intake-socket-group']} # the group of nginx's workers
`;
}

/** A path relative to a working directory differs between the service and its clients. */
function requireAbsoluteHome(text: string, configFile: string): void {
  const settings = parseSettings(text);
  const home =
    typeof settings === 'object' && settings !== null && 'home' in settings ? settings.home : undefined;
  if (typeof home === 'string' && isAbsolute(home)) return;
  throw new Trouble(
    `home: must be set to an absolute path in ${configFile}, for a service (got ${JSON.stringify(home) ?? 'nothing'})`,
    `Set home: ${SERVICE_PATHS.home} there.`,
  );
}

/** The group that the sidecar gives its socket and spill folder to. */
function groupOf({ intake }: Config, configFile: string, named: string | undefined): string | undefined {
  const { socket_group: group, socket_mode: mode } = intake;
  if (named !== undefined && named !== group)
    throw new Trouble(
      `--group: ${configFile} has intake.socket_group ${group ?? 'unset'} (got ${named})`,
      'Change it there: that file is yours and is never overwritten.',
    );
  if (group !== undefined || (Number.parseInt(mode, 8) & OTHERS_WRITE) !== 0) return group;
  throw new Trouble(
    `intake.socket_group is not set in ${configFile}: nginx's workers could not post to the sidecar, which runs as ${SERVICE_USER}`,
    'Set it to the group of the workers: www-data on Debian, nginx with the packages of nginx.org.',
  );
}

/** Only secrets from the environment: the service gets these from a drop-in, but no other variable of this shell. */
function secretsOf(env: PlanOptions['env']): PlanOptions['env'] {
  const names = SETTINGS.filter(({ secret }) => secret).flatMap((setting) => [
    setting.env,
    `${setting.env}_FILE`,
  ]);
  return Object.fromEntries(Object.entries(env).filter(([name]) => names.includes(name)));
}

function textAt(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}
