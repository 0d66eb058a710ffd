import { describe, expect, test } from '@jest/globals';
import type { Command } from '../../../cli/command.ts';
import { parseCommandLine } from '../../../cli/parse-command-line.ts';

const command: Command = {
  about: 'does it',
  options: { dir: { type: 'string', about: 'where' }, 'dry-run': { type: 'boolean', about: 'not really' } },
  configured: true,
  run: async () => 0,
};
const COMMANDS = { sidecar: command, 'nginx install': command };

describe('the command line', () => {
  test('finds commands of one and of two words, with their flags and those of the settings', () => {
    expect(parseCommandLine(['sidecar', '--spool-max-bytes', '7'], COMMANDS)).toMatchObject({
      name: 'sidecar',
      flags: { 'spool-max-bytes': '7' },
      positionals: [],
    });
    expect(parseCommandLine(['nginx', 'install', '--dir', 'x', '--dry-run'], COMMANDS)).toMatchObject({
      name: 'nginx install',
      flags: { dir: 'x', 'dry-run': true },
    });
  });

  test('accepts the former flag of a setting, and does not suggest it', () => {
    expect(
      parseCommandLine(['--spool-ladder', 'off', 'sidecar', '--spool-ladder-from=0.5'], COMMANDS),
    ).toMatchObject({ name: 'sidecar', flags: { 'spool-ladder': 'off', 'spool-ladder-from': '0.5' } });
    expect(() => parseCommandLine(['sidecar', '--spool-ladder-fro', '1'], COMMANDS)).toThrow(
      /^unknown flag --spool-ladder-fro$/,
    );
  });

  test.each([
    [['--config', 'f', 'sidecar']],
    [['--spool-dir', 'sidecar', 'nginx', '--config', 'nginx', 'install']],
    [['--dry-run', '--dir', 'install', 'nginx', 'install']],
    [['--config=f', 'sidecar', '--dir', 'nginx']],
  ])('finds the command behind flags and their values: %j', (args) => {
    const { name, positionals } = parseCommandLine(args, COMMANDS);
    expect([name, positionals]).toEqual([args.includes('install') ? 'nginx install' : 'sidecar', []]);
  });

  test('reads a negative time as a value, not as a flag', () => {
    const { flags } = parseCommandLine(['sidecar', '--dir', '-2h', '--node=-1'], COMMANDS);
    expect(flags).toMatchObject({ dir: '-2h', node: '-1' });
    expect(() => parseCommandLine(['sidecar', '--dry-run', '-2h'], COMMANDS)).toThrow("Unknown option '-2'");
  });

  test('may be empty, or have only --help or --version', () => {
    expect(parseCommandLine([], COMMANDS)).toMatchObject({ command: undefined });
    expect(parseCommandLine(['--version'], COMMANDS)).toMatchObject({
      command: undefined,
      flags: { version: true },
    });
    expect(parseCommandLine(['sidecar', '-h'], COMMANDS)).toMatchObject({
      name: 'sidecar',
      flags: { help: true },
    });
  });

  test.each([
    [['sidecars'], 'unknown command sidecars, did you mean sidecar?'],
    [['nginx', 'instal'], 'unknown command nginx instal, did you mean nginx install?'],
    [['zzz'], 'unknown command zzz'],
    [['toString'], 'unknown command toString'],
    [['constructor', 'x'], 'unknown command constructor x'],
    [['__proto__'], 'unknown command __proto__'],
    [['sidecar', '--toString', 'x'], 'unknown flag --toString'],
    [['nginx'], 'nginx is not a complete command: use nginx install'],
    [['sidecar', '--spol-dir', 'x'], 'unknown flag --spol-dir, did you mean --spool-dir?'],
    [['sidecar', '--elasticsearch-password', 'x'], 'unknown flag --elasticsearch-password'],
    [['--elasticsearch-password', 'x', 'sidecar'], 'unknown flag --elasticsearch-password'],
    [['sidecar', '--spool-dir'], "Option '--spool-dir <value>' argument missing"],
  ])('says what is wrong with %j', (args, message) => {
    expect(() => parseCommandLine(args, COMMANDS)).toThrow(message);
  });
});
