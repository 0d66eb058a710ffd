import { type Config, loadConfig } from '../service/config.ts';
import type { CommandContext } from './command.ts';

/** The configuration of a command, from its file, environment and flags. */
export function configure({ flags, env }: CommandContext): Config {
  const texts = Object.entries(flags).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  const { config: file, ...settings } = Object.fromEntries(texts);
  return loadConfig({ file, env, flags: settings });
}
