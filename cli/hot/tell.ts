import type { HotCommand } from '../../heat/hot-command.ts';
import { plainText } from '../../service/plain-text.ts';
import { isoTime } from '../../status/iso-time.ts';
import type { CommandContext, Flags } from '../command.ts';
import { configure } from '../configure.ts';
import { UsageError } from '../parse-command-line.ts';
import { durationOf, parseTime } from '../parse-time.ts';
import { print } from '../terminal.ts';
import { asker, commandHot } from './ask-hot.ts';

const BY_HAND = 'by hand';

/** `purge` says what became of pages. */
type Told = Exclude<HotCommand, { do: 'purge' }>;

/** Sends a command, and prints the result. */
export async function tell(context: CommandContext, command: Told): Promise<number> {
  const { control } = configure(context);
  const list = await commandHot(control.socket, command);
  const done = DONE[command.do];
  print('item' in command ? `${plainText(command.item, 60)}: ${done}${timesText(command)}\n` : `${done}\n`);
  if (command.do === 'clear') {
    const left = list.overrides.find(({ item }) => item === command.item);
    if (left !== undefined)
      print(`the rules file still has a ${left.kind} for it: ${plainText(list.rules.file ?? '')}\n`);
  }
  return 0;
}

const DONE: Record<Told['do'], string> = {
  pin: 'pinned',
  ban: 'banned',
  clear: 'pin or ban removed',
  freeze: 'frozen: nginx sees no hot item until hotitem hot thaw',
  thaw: 'thawed: nginx sees hot items',
};

function timesText(command: Told): string {
  const from = 'from' in command && command.from !== undefined ? ` from ${isoTime(command.from)}` : '';
  return 'until' in command && command.until !== undefined ? `${from} until ${isoTime(command.until)}` : from;
}

/** The reason, and the login of the operator. */
export function said({ env }: CommandContext, reason: Flags[string]): { reason: string; by: string } {
  const text = String(reason ?? BY_HAND).trim();
  if (text === '' || text.length > 500) throw new UsageError('--reason: must have 1 to 500 characters');
  return { reason: text, by: asker(env) };
}

/** The single ITEM of a command. */
export function itemOf(context: CommandContext, command: string): string {
  requireWords(context, 1, `${command}: needs one ITEM, as \`hotitem hot list\` prints it`);
  return context.positionals[0] ?? '';
}

/** Throws a `UsageError` if there are more or fewer words than `count`. */
export function requireWords({ positionals }: CommandContext, count: number, problem: string): void {
  if (positionals.length !== count || positionals.includes('')) throw new UsageError(problem);
}

/** `--for` counts from `--from`, or from now. Throws a `UsageError`. */
export function timesOf({ for: lasts, from, until }: Flags): { from?: number; until?: number } {
  const now = Date.now();
  if (lasts !== undefined && until !== undefined) throw new UsageError('--for and --until: use only one');
  const begins = from === undefined ? undefined : parseTime('from', String(from), now);
  const ends = endOf({ lasts, until, begins: begins ?? now, now });
  if (ends !== undefined && ends <= Math.max(begins ?? now, now))
    throw new UsageError('the pin or ban must end after it begins, and in the future');
  return { ...(begins !== undefined && { from: begins }), ...(ends !== undefined && { until: ends }) };
}

function endOf(options: {
  lasts: Flags[string];
  until: Flags[string];
  begins: number;
  now: number;
}): number | undefined {
  const { lasts, until, begins, now } = options;
  if (until !== undefined) return parseTime('until', String(until), now);
  if (lasts === undefined) return undefined;
  const ms = durationOf(String(lasts));
  if (ms === undefined || ms === 0)
    throw new UsageError(`--for: must be like 30m, 12h or 7d (got ${JSON.stringify(lasts)})`);
  return begins + ms;
}
