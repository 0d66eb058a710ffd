import { expect, test } from '@jest/globals';
import { allCommands, commandsFor } from '../../../cli/commands.ts';

test('each command is found by its name alone', async () => {
  const names = Object.keys(await allCommands());
  expect(names).toEqual(expect.arrayContaining(['sidecar', 'nginx install', 'man']));
  for (const name of names)
    expect(Object.keys(await commandsFor([...name.split(' '), '--json']))).toEqual([name]);
});

test.each([[[]], [['--help']], [['--node', 'sidecar', 'sink']], [['hot']], [['constructor']]])(
  'all commands are there where none begins the command line: %j',
  async (args: string[]) => {
    expect(Object.keys(await commandsFor(args))).toEqual(Object.keys(await allCommands()));
  },
);

test('the version needs no command', async () => {
  expect(await commandsFor(['--version'])).toEqual({});
});
