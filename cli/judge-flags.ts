import type { Judging } from '../service/verdict.ts';
import type { CommandOption, Flags } from './command.ts';
import { UsageError } from './parse-command-line.ts';

const ID = /^[a-z]+(-[a-z]+)*$/;

/** The flags of every command that reports findings. */
export const JUDGE_OPTIONS: Record<string, CommandOption> = {
  accept: {
    type: 'string',
    placeholder: 'ID',
    multiple: true,
    about: 'accept a finding; may be repeated, or ID,ID',
  },
  strict: { type: 'boolean', about: 'exit 1 on warnings, too' },
  json: { type: 'boolean', about: 'print JSON' },
};

/** The values of these flags. Throws a `UsageError` for an impossible id. */
export function judgingOf({ accept, strict }: Flags): Required<Judging> {
  const ids = typeof accept === 'string' ? accept.split(',').map((id) => id.trim()) : [];
  const bad = ids.find((id) => !ID.test(id));
  if (bad !== undefined)
    throw new UsageError(
      `--accept: must be the id of a finding, such as njs-version (got ${JSON.stringify(bad)})`,
    );
  return { accept: [...new Set(ids)], strict: strict === true };
}
