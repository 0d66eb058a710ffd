import type { Command } from './command.ts';
import { manOf } from './commands/man.ts';
import { completionOf } from './commands/shell-completion.ts';

type Group = () => Promise<Record<string, Command>>;

const services: Group = async () => (await import('./groups/services.ts')).services;
const indexes: Group = async () => (await import('./groups/indexes.ts')).indexes;
const installation: Group = async () => (await import('./groups/installation.ts')).installation;
const questions: Group = async () => (await import('./groups/questions.ts')).questions;
const start: Group = async () => ({ start: (await import('./commands/start.ts')).start });
const text: Group = async () => ({ completion: completionOf(allCommands), man: manOf(allCommands) });

/**
 * Each command, in the order of the help, with its group. The commands of a group load almost the same code. Loading only that saves a fifth
 * of the start; a file for each command would save nothing, because the build makes a hundred small files of what they share.
 */
const GROUPS: Record<string, Group> = {
  start,
  sidecar: services,
  sink: services,
  setup: indexes,
  'nginx install': installation,
  'nginx drain': questions,
  'nginx remove': installation,
  'service install': installation,
  'service remove': installation,
  capture: questions,
  'hot list': questions,
  'hot show': questions,
  'hot pin': questions,
  'hot ban': questions,
  'hot clear': questions,
  'hot freeze': questions,
  'hot thaw': questions,
  purge: questions,
  'control token': questions,
  'webhook test': questions,
  backtest: indexes,
  report: indexes,
  check: installation,
  status: questions,
  top: questions,
  doctor: installation,
  verify: indexes,
  replay: indexes,
  'dead-letters list': indexes,
  'dead-letters show': indexes,
  'dead-letters replay': indexes,
  'dead-letters purge': indexes,
  completion: text,
  man: text,
};

/** The command that these arguments begin with; none for the version; else all commands: for help, and to find it behind flags. */
export async function commandsFor(args: string[]): Promise<Record<string, Command>> {
  if (args[0] === '--version') return {};
  const name = [args.slice(0, 2).join(' '), args[0] ?? ''].find((words) => Object.hasOwn(GROUPS, words));
  return name === undefined ? allCommands() : named([name]);
}

export function allCommands(): Promise<Record<string, Command>> {
  return named(Object.keys(GROUPS));
}

async function named(names: string[]): Promise<Record<string, Command>> {
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await load(name)] as const)));
}

async function load(name: string): Promise<Command> {
  const command = (await GROUPS[name]?.())?.[name];
  if (command === undefined) throw new Error(`the command ${name} is not in its group`);
  return command;
}
