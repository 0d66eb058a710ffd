import { resolve } from 'node:path';
import { Trouble } from '../../service/trouble.ts';
import { applyPlan } from '../../service-setup/apply.ts';
import { ROLES } from '../../service-setup/folders.ts';
import { SERVICE_PATHS, SERVICE_USER } from '../../service-setup/paths.ts';
import { type Plan, planService } from '../../service-setup/plan.ts';
import { isBooted } from '../../service-setup/systemctl.ts';
import type { Command } from '../command.ts';
import { parseRole } from '../parse-role.ts';
import { print, tell } from '../terminal.ts';
import { textDiff } from '../text-diff.ts';

export const serviceInstall: Command = {
  about: 'sets up the sidecar (or `sink`) as a systemd service: user, folders, configuration, unit',
  options: {
    config: {
      type: 'string',
      placeholder: 'FILE',
      about: `configuration of the service (${SERVICE_PATHS.config}); created if missing`,
    },
    group: {
      type: 'string',
      placeholder: 'GROUP',
      about: "group of nginx's workers (default: that of this host's nginx)",
    },
    diff: { type: 'boolean', about: 'only show what would change; exits 1 if anything would' },
    'no-start': { type: 'boolean', about: 'do not start or restart it' },
  },
  words: ROLES,
  configured: false,
  async run({ flags, positionals, env }) {
    const { config = SERVICE_PATHS.config, group, diff, 'no-start': noStart } = flags;
    if (diff !== true && process.getuid?.() !== 0)
      throw new Trouble(
        'service install: needs root, to write the unit and create the user',
        '--diff shows what it would do.',
      );
    const plan = await planService({
      role: parseRole(positionals),
      configFile: resolve(String(config)),
      group: typeof group === 'string' ? group : undefined,
      env,
    });
    if (plan.config.before !== undefined) tell(`hotitem: configuration ${plan.config.path}\n`);
    if (diff === true) return show(plan);
    const done = await applyPlan(plan, { start: noStart !== true });
    print(done.map(({ outcome, what }) => `${outcome.padEnd(10)}${what}\n`).join(''));
    if (!isBooted()) print('\nsystemd is not running here: the service starts at the next boot.\n');
    return 0;
  },
};

async function show({ config, unitFile, folders, user, join }: Plan): Promise<number> {
  const files = config.before === undefined ? [config, unitFile] : [unitFile];
  const missing = [
    ...(user === undefined ? [`user ${SERVICE_USER}`] : []),
    ...(join === undefined ? [] : [`${SERVICE_USER} as a member of ${join}`]),
    ...folders,
  ];
  const diffs = await Promise.all(files.map(({ path, before, text }) => textDiff(path, before, text)));
  const lines = [...missing.map((what) => `missing: ${what}\n`), ...diffs].join('');
  print(lines === '' ? 'nothing would change\n' : lines);
  return lines === '' ? 0 : 1;
}
