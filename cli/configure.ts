import { resolve } from 'node:path';
import { type Config, loadConfig } from '../service/config/config.ts';
import type { ConfigPlace } from '../service/config/find-config-file.ts';
import { SYSTEM_PATHS } from '../service/config/system-paths.ts';
import type { CommandContext } from './command.ts';
import { tell } from './terminal.ts';

/** Only the working directory is searched. */
const HERE = 'hotitem.yml';

export type ConfigureOptions = {
  /** Ignores the configuration of this host. */
  hereOnly?: boolean;
  /** Standard error is reserved for log lines, which name the file. */
  silent?: boolean;
};

/**
 * The configuration of a command, from file, environment and flags; standard error says which file was read. Default: the file of this
 * host, otherwise that of the working directory.
 */
export function configure(
  { flags, env }: CommandContext,
  { hereOnly = false, silent = false }: ConfigureOptions = {},
): Config {
  const texts = Object.entries(flags).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  const { config: file, ...settings } = Object.fromEntries(texts);
  const paths = hereOnly ? [HERE] : [SYSTEM_PATHS.config, HERE];
  const usual = { paths, uid: process.getuid?.() ?? 0 };
  const config = loadConfig({ file, usual, env, flags: settings });
  if (!silent) tell(`hotitem: ${sourceText(config.source)}\n`);
  return config;
}

/** Which file was read, and which was not. */
function sourceText({ file, looked, passedOver }: ConfigPlace): string {
  if (file === undefined) return `no configuration file (looked for ${looked.join(' and ')})`;
  const others = passedOver.length === 0 ? '' : ` (not read: ${passedOver.join(', ')})`;
  return `configuration ${resolve(file)}${others}`;
}
