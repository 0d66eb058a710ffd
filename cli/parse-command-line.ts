import { parseArgs } from 'node:util';
import { distance } from 'fastest-levenshtein';
import { SETTINGS, type Setting } from '../service/config/setting.ts';
import type { Command, Flags } from './command.ts';

/** The command line is invalid. */
export class UsageError extends Error {
  override name = 'UsageError';
}

export type CommandLine = {
  name: string;
  /** Undefined for help or version, or without arguments. */
  command: Command | undefined;
  flags: Flags;
  positionals: string[];
};

const COMMON = { help: { type: 'boolean', short: 'h' }, version: { type: 'boolean' } } as const;

/** Finds the command and parses its flags. Throws a `UsageError` with the problem and a suggestion. */
export function parseCommandLine(args: string[], commands: Record<string, Command>): CommandLine {
  const words = wordsOf(args, commands).slice(0, 2);
  const [first = '', second = ''] = words;
  const name = [`${first} ${second}`, first].find((candidate) => Object.hasOwn(commands, candidate)) ?? '';
  const command = name === '' ? undefined : commands[name];
  if (command === undefined && first !== '')
    throw new UsageError(unknown('command', words.join(' '), Object.keys(commands)));
  const { values, positionals } = read(args, command);
  return { name, command, flags: values, positionals: positionals.slice(name.split(' ').length) };
}

/**
 * The words that are neither flags nor their values, before the command is known. Secrets have no flags; a secret that is passed as one
 * anyway must not be printed as an unknown command.
 */
function wordsOf(args: string[], commands: Record<string, Command>): string[] {
  const own = Object.values(commands).map(({ options }) => options);
  const options: Options = Object.assign({}, settingOptions(SETTINGS), ...own);
  return args.filter((arg, i) => !arg.startsWith('-') && !takesText(args[i - 1], options));
}

function takesText(flag: string | undefined, options: Options): boolean {
  if (flag === undefined || !flag.startsWith('--')) return false;
  const name = flag.slice(2);
  return Object.hasOwn(options, name) && options[name]?.type === 'string';
}

function read(args: string[], command: Command | undefined): { values: Flags; positionals: string[] } {
  const options = { ...COMMON, ...command?.options, ...(command?.configured ? settingOptions() : {}) };
  try {
    const joined = joinTimes(args, options);
    const { values, positionals } = parseArgs({
      args: joined,
      options: plain(options),
      allowPositionals: true,
    });
    return { values: withLists(values), positionals };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const flag = /'?--([\w-]+)/.exec(message)?.[1];
    const known = Object.keys(options).filter((name) => !FORMER_FLAGS.has(name));
    if (flag === undefined || Object.hasOwn(options, flag)) throw new UsageError(message.split('. ')[0]);
    throw new UsageError(
      unknown(
        'flag',
        `--${flag}`,
        known.map((option) => `--${option}`),
      ),
    );
  }
}

type Values = ReturnType<typeof parseArgs>['values'];

function withLists(values: Values): Flags {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, Array.isArray(value) ? value.join(',') : value]),
  );
}

type Options = Record<string, { type: 'string' | 'boolean'; short?: string; multiple?: boolean }>;

/** `--from -2h` as `--from=-2h`: parseArgs would take `-2` for a flag. */
function joinTimes(args: string[], options: Options): string[] {
  const joined: string[] = [];
  for (const arg of args) {
    const last = joined.at(-1);
    if (takesText(last, options) && /^-\d/.test(arg)) joined.splice(-1, 1, `${last}=${arg}`);
    else joined.push(arg);
  }
  return joined;
}

const GIVEN_BY_FLAG = SETTINGS.filter(({ secret }) => !secret);

/** They are accepted, and not suggested. */
const FORMER_FLAGS = new Set(SETTINGS.flatMap(({ former }) => former?.flag ?? []));

function settingOptions(known: Setting[] = GIVEN_BY_FLAG): Options {
  const settings = known.flatMap(({ flag, former }) =>
    [flag, former?.flag ?? []].flat().map((name) => [name, { type: 'string' }] as const),
  );
  return { config: { type: 'string' }, ...Object.fromEntries(settings) };
}

function plain(options: Options): Options {
  return Object.fromEntries(
    Object.entries(options).map(([name, { type, short, multiple = false }]) => [
      name,
      short === undefined ? { type, multiple } : { type, short, multiple },
    ]),
  );
}

function unknown(what: string, value: string, known: string[]): string {
  const longer = known.filter((name) => name.startsWith(`${value} `));
  if (longer.length > 0) return `${value} is not a complete ${what}: use ${longer.join(', ')}`;
  const near = known.map((name) => ({ name, far: distance(name, value) })).sort((a, b) => a.far - b.far)[0];
  const hint = near !== undefined && near.far <= 3 ? `, did you mean ${near.name}?` : '';
  return `unknown ${what} ${value}${hint}`;
}
