import type { Command } from '../command.ts';
import { UsageError } from '../parse-command-line.ts';
import { bashScript } from '../shell/bash-script.ts';
import { fishScript } from '../shell/fish-script.ts';
import { type ShellTable, shellTable } from '../shell/shell-table.ts';
import { zshScript } from '../shell/zsh-script.ts';
import { print } from '../terminal.ts';

const SCRIPTS = new Map<string, (table: ShellTable) => string>([
  ['bash', bashScript],
  ['zsh', zshScript],
  ['fish', fishScript],
]);
const SHELLS = [...SCRIPTS.keys()];

/** `commands`: all commands; a function, because this one is among them. */
export function completionOf(commands: () => Promise<Record<string, Command>>): Command {
  return {
    about: 'bash | zsh | fish: prints the completion script of a shell',
    options: {},
    words: SHELLS,
    configured: false,
    async run({ positionals }) {
      const [shell = '', ...more] = positionals;
      const script = SCRIPTS.get(shell);
      if (script === undefined || more.length > 0)
        throw new UsageError(`completion: must be ${SHELLS.join(', ')} (got ${positionals.join(' ')})`);
      print(script(shellTable(await commands())));
      return 0;
    },
  };
}
