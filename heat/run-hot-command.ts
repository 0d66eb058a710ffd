import { NothingKept, type Purged } from '../protect/purge.ts';
import { bodyWords } from '../service/config/issue-words.ts';
import { reasonOf } from '../service/log.ts';
import { type HotCommand, hotCommand } from './hot-command.ts';
import { TooManyOverrides } from './overrides.ts';

/** `error` says what is wrong where the status is not 200. */
export type Outcome = {
  status: number;
  error?: string;
  /** Of a purge: what became of each page. */
  purged?: Purged[];
};

export type PurgeOrder = { item?: string | undefined; by: string; reason: string };

export type Commanded = {
  /** Resolves when it is in effect and on disk. */
  command(command: Exclude<HotCommand, { do: 'purge' }>): Promise<void>;
  /** The command `purge`, with what became of each page. Rejects with `NothingKept` if nothing is kept, or not this item. */
  purge(order: PurgeOrder): Promise<Purged[]>;
};

/** Checks and runs a command, of the owner on the control socket or of the holder of a token on the admin listener. */
export async function runHotCommand(source: Commanded, value: unknown): Promise<Outcome> {
  const read = hotCommand.safeParse(value, { reportInput: true });
  if (!read.success) return { status: 400, error: bodyWords(read.error.issues) };
  const { data } = read;
  try {
    if (data.do === 'purge') return { status: 200, purged: await source.purge(data) };
    await source.command(data);
    return { status: 200 };
  } catch (error) {
    const isConflict = error instanceof TooManyOverrides || error instanceof NothingKept;
    return { status: isConflict ? 409 : 500, error: reasonOf(error) };
  }
}
