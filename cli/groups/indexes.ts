import type { Command } from '../command.ts';
import { backtest } from '../commands/backtest.ts';
import { deadLettersList } from '../commands/dead-letters-list.ts';
import { deadLettersPurge } from '../commands/dead-letters-purge.ts';
import { deadLettersReplay } from '../commands/dead-letters-replay.ts';
import { deadLettersShow } from '../commands/dead-letters-show.ts';
import { replay } from '../commands/replay.ts';
import { report } from '../commands/report.ts';
import { setup } from '../commands/setup.ts';
import { verify } from '../commands/verify.ts';

/** What reads events from where they are stored, and prepares that. */
export const indexes: Record<string, Command> = {
  setup,
  backtest,
  report,
  verify,
  replay,
  'dead-letters list': deadLettersList,
  'dead-letters show': deadLettersShow,
  'dead-letters replay': deadLettersReplay,
  'dead-letters purge': deadLettersPurge,
};
