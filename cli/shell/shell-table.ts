import { SETTINGS } from '../../service/config/setting.ts';
import type { Command, CommandOption } from '../command.ts';

/** The commands and flags as a shell completes them. */
export type ShellTable = {
  commands: ShellCommand[];
  /** `--config` and a flag for each setting, which every configured command accepts. */
  settings: ShellFlag[];
  /** The names of all flags that a value follows. */
  withValue: string[];
};

export type ShellCommand = {
  /** One or two words. */
  name: string;
  about: string;
  flags: ShellFlag[];
  configured: boolean;
  /** What its first argument may be; empty if that is free text. */
  words: readonly string[];
};

/** `name` without the dashes. */
export type ShellFlag = { name: string; about: string; value?: ShellValue };
/** `kind`: whether files are offered as values, the choices, or nothing. */
export type ShellValue = {
  placeholder: string;
  kind: 'file' | 'choice' | 'text';
  choices: readonly string[];
};

/** A word of a command, as it is offered. */
export type ShellWord = { word: string; about: string };

const HELP: ShellFlag = { name: 'help', about: 'shows the flags of the command' };
const CONFIG: ShellFlag = {
  name: 'config',
  about: 'configuration, YAML',
  value: { placeholder: 'FILE', kind: 'file', choices: [] },
};
const FILES = new Set(['FILE', 'FOLDER', 'SOURCE']);
const CHOICES = /^[a-z]+(?:\|[a-z]+)+$/;

export function shellTable(commands: Record<string, Command>): ShellTable {
  const rows = Object.entries(commands).map(([name, { about, options, configured, words = [] }]) => ({
    name,
    about,
    configured,
    words,
    flags: [...Object.entries(options).map(([flag, option]) => flagOf(flag, option)), HELP],
  }));
  const settings = [CONFIG, ...settingFlags()];
  const all = [...settings, ...rows.flatMap(({ flags }) => flags)];
  const withValue = all.filter(({ value }) => value !== undefined).map(({ name }) => name);
  return { commands: rows, settings, withValue: [...new Set(withValue)] };
}

/** `hot` and the second words of its commands, for each first word of commands of two words. */
export function groupsOf({ commands }: ShellTable): Map<string, ShellWord[]> {
  const groups = new Map<string, ShellWord[]>();
  for (const { name, about } of commands) {
    const [first = '', second] = name.split(' ');
    if (second !== undefined) groups.set(first, [...(groups.get(first) ?? []), { word: second, about }]);
  }
  return groups;
}

/** What is completed as the first word: `about` of a group names its commands. */
export function firstWords(table: ShellTable): ShellWord[] {
  const single = table.commands
    .filter(({ name }) => !name.includes(' '))
    .map(({ name, about }) => ({ word: name, about }));
  const groups = [...groupsOf(table)].map(([word, seconds]) => ({
    word,
    about: seconds.map((second) => second.word).join(', '),
  }));
  return [...single, ...groups];
}

/** A word for bash and zsh, whatever it contains. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function flagOf(name: string, { type, about, placeholder = 'VALUE' }: CommandOption): ShellFlag {
  if (type === 'boolean') return { name, about };
  const choices = CHOICES.test(placeholder) ? placeholder.split('|') : [];
  const kind = choices.length > 0 ? 'choice' : FILES.has(placeholder) ? 'file' : 'text';
  return { name, about, value: { placeholder, kind, choices } };
}

/** Secrets have no flag. */
function settingFlags(): ShellFlag[] {
  return SETTINGS.filter(({ secret }) => !secret).map(({ flag, kind, choices, about, path }) => ({
    name: flag,
    about,
    value: {
      placeholder: path.join('.'),
      kind: choices.length > 0 ? 'choice' : kind === 'text' ? 'file' : 'text',
      choices,
    },
  }));
}
