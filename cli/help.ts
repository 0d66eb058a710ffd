import { SETTINGS } from '../service/config/setting.ts';
import { SYSTEM_PATHS } from '../service/config/system-paths.ts';
import type { Command } from './command.ts';

const WIDTH = 30;

export function overview(commands: Record<string, Command>): string {
  return [
    'hotitem: captures every item view in nginx, delivers each once, and shows what is hot',
    '',
    'Usage: hotitem COMMAND [FLAGS]',
    '',
    ...Object.entries(commands).map(([name, { about }]) => row(name, about)),
    '',
    row('COMMAND --help', 'shows the flags of a command'),
    row('--version', 'shows the version'),
  ].join('\n');
}

export function commandHelp(name: string, { about, options, configured, explainsSettings }: Command): string {
  const own = Object.entries(options).map(([flag, option]) =>
    row(`--${flag}${option.type === 'string' ? ` ${option.placeholder ?? 'VALUE'}` : ''}`, option.about),
  );
  const shared = explainsSettings === true ? [CONFIG, '', ...settings()] : [CONFIG, OTHERS];
  return [`hotitem ${name}: ${about}`, '', ...own, ...(configured ? shared : [])].join('\n');
}

const CONFIG = row(
  '--config FILE',
  `configuration, YAML (else HOTITEM_CONFIG, ${SYSTEM_PATHS.config}, hotitem.yml of the working directory)`,
);
const OTHERS = row(
  '--SETTING VALUE',
  'a setting, such as --spool-max-bytes: hotitem sidecar --help explains all',
);

function settings(): string[] {
  return [
    'Settings come from the file, the environment, or flags; the later wins.',
    ...SETTINGS.map(({ path, env, flag, secret, fallback, about }) => {
      const shown = fallback === undefined || Array.isArray(fallback) ? '' : ` (${fallback})`;
      const how = secret ? `${env} or ${env}_FILE, no flag` : `--${flag}`;
      return `  ${path.join('.')}\n      ${about}${shown}\n      ${how}`;
    }),
  ];
}

function row(left: string, right: string): string {
  return `  ${left.padEnd(WIDTH - 2)}${left.length > WIDTH - 4 ? `\n${' '.repeat(WIDTH)}` : ''}${right}`;
}
