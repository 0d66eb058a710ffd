import { hostname } from 'node:os';
import { SETTINGS } from '../../service/config/setting.ts';
import { SYSTEM_PATHS } from '../../service/config/system-paths.ts';
import type { Command, CommandOption } from '../command.ts';

/** hotitem(1) in roff, from the table of commands. It has no date, so that a version is always the same file. */
export function manPage(commands: Record<string, Command>, version: string): string {
  return [
    '.\\" Made by: hotitem man',
    `.TH HOTITEM 1 "" "hotitem ${version}" "User Commands"`,
    '.SH NAME',
    'hotitem \\- captures every item view in nginx, delivers each once, and shows what is hot',
    '.SH SYNOPSIS',
    '.B hotitem',
    '.I COMMAND',
    '.RI [ FLAGS ]',
    '.SH DESCRIPTION',
    text(
      'The sidecar of an nginx ingests every view of an item page and delivers it to an index, directly or through Kafka.',
    ),
    text('The other commands set it up, check it, and say what it does.'),
    text('hotitem COMMAND --help prints the same as this page about one command.'),
    '.SH COMMANDS',
    ...Object.entries(commands).flatMap(([name, command]) => commandLines(name, command)),
    '.SH SETTINGS',
    text('Settings come from the configuration file, the environment, or flags; the later wins.'),
    text('Commands that accept them say so above. Relative paths are relative to home.'),
    ...SETTINGS.flatMap((setting) => settingLines(setting)),
    '.SH EXIT STATUS',
    ...exitLines(),
    '.SH ENVIRONMENT',
    ...term('HOTITEM_CONFIG', 'the configuration file, if --config does not name one'),
    ...term('NO_COLOR', 'if it is not empty, nothing is coloured'),
    '.SH FILES',
    ...term(SYSTEM_PATHS.config, 'the configuration of this host'),
    ...term('hotitem.yml', 'the configuration, if that file does not exist'),
    ...term(SYSTEM_PATHS.home, 'all state of an installed service'),
    '',
  ].join('\n');
}

function commandLines(name: string, { about, options, configured }: Command): string[] {
  return [
    `.SS hotitem ${roff(name)}`,
    text(about),
    ...Object.entries(options).flatMap(([flag, option]) => flagLines(flag, option)),
    ...(configured ? ['.P', text('It accepts --config FILE and a flag for each setting.')] : []),
  ];
}

function flagLines(flag: string, { type, about, placeholder = 'VALUE' }: CommandOption): string[] {
  const value = type === 'string' ? ` \\fI${roff(placeholder)}\\fR` : '';
  return ['.TP', `\\fB\\-\\-${roff(flag)}\\fR${value}`, text(about)];
}

function settingLines({ path, env, flag, secret, fallback, about }: (typeof SETTINGS)[number]): string[] {
  const shown =
    fallback === undefined || Array.isArray(fallback)
      ? ''
      : ` (${fallback === hostname() ? 'the name of the host' : fallback})`;
  const how = secret ? `${env} or ${env}_FILE, no flag` : `--${flag}, ${env}`;
  return ['.TP', `\\fB${roff(path.join('.'))}\\fR`, text(`${about}${shown}`), '.br', text(how)];
}

function exitLines(): string[] {
  return [
    ...term('0', 'success'),
    ...term('1', 'a failure, or a finding'),
    ...term('2', 'the command line is wrong'),
    ...term('3', 'status, doctor: views were lost'),
  ];
}

function term(name: string, about: string): string[] {
  return ['.TP', `\\fB${roff(name)}\\fR`, text(about)];
}

/** A line of text: a dot or a quote at its beginning would be a request. */
function text(line: string): string {
  return `\\&${roff(line)}`;
}

function roff(line: string): string {
  return line
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
    .replace(/[^\x20-\x7e]/gu, (character) => `\\[u${codeOf(character)}]`);
}

/** At least four digits, as groff wants it. */
function codeOf(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
}
