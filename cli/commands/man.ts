import { packageVersion } from '../../service/package-version.ts';
import type { Command } from '../command.ts';
import { UsageError } from '../parse-command-line.ts';
import { manPage } from '../shell/man-page.ts';
import { print } from '../terminal.ts';

/** `commands`: all commands; a function, because this one is among them. */
export function manOf(commands: () => Promise<Record<string, Command>>): Command {
  return {
    about: 'prints the manual page: hotitem man | man -l -',
    options: {},
    configured: false,
    async run({ positionals }) {
      if (positionals.length > 0) throw new UsageError('man: takes no argument');
      print(manPage(await commands(), packageVersion()));
      return 0;
    },
  };
}
