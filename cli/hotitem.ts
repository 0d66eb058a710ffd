import { ConfigError } from '../service/config/config.ts';
import { endProcess, endProcessSoon } from '../service/end-process.ts';
import { reasonOf } from '../service/log.ts';
import { packageVersion } from '../service/package-version.ts';
import { plainText } from '../service/plain-text.ts';
import { Trouble } from '../service/trouble.ts';
import { KafkaError } from '../store/kafka/error.ts';
import { commandsFor } from './commands.ts';
import { commandHelp, overview } from './help.ts';
import { parseCommandLine, UsageError } from './parse-command-line.ts';
import { print, tell } from './terminal.ts';

const OWNER_AND_GROUP = 0o027;

// Files are for their owner and group at most, including those that libraries create, such as DuckDB's. An inherited umask may be stricter,
// like `UMask=0077` of a unit. If others need access, the mode is set explicitly (`makeFolder`).
process.umask(OWNER_AND_GROUP | process.umask(OWNER_AND_GROUP));

// Who reads has enough, as `head` does, or is gone: the command goes on, and its exit status is what it is.
for (const output of [process.stdout, process.stderr])
  output.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return;
    if (output === process.stdout) endProcess(fail(1, [`cannot write the output: ${error.message}`]));
    throw error;
  });
// Node would print the error unescaped.
process.on('uncaughtException', (error) => {
  tell(`hotitem: ${(error instanceof Error && error.stack) || reasonOf(error)}\n`);
  endProcess(1);
});
const status = await main(process.argv.slice(2));
process.exitCode = status;
// After a failure, timers or sockets may remain; there is nothing left to wait for.
if (status !== 0) await endProcessSoon(status);

/** The exit status: 0 success, 1 failure, 2 usage error. */
async function main(args: string[]): Promise<number> {
  try {
    const commands = await commandsFor(args);
    const { name, command, flags, positionals } = parseCommandLine(args, commands);
    if (flags.version === true) return say(version());
    if (command === undefined) return say(overview(commands));
    if (flags.help === true) return say(commandHelp(name, command));
    return await command.run({ flags, positionals, env: process.env });
  } catch (error) {
    return complain(error);
  }
}

function say(text: string): number {
  print(`${text}\n`);
  return 0;
}

function complain(error: unknown): number {
  if (error instanceof UsageError)
    return fail(2, [plainText(error.message), 'hotitem --help lists the commands.']);
  if (error instanceof ConfigError)
    return fail(1, [
      `the configuration is wrong${error.file === undefined ? '' : ` (${plainText(error.file)})`}:`,
      ...error.problems.map((problem) => `  ${plainText(problem)}`),
    ]);
  if (error instanceof Trouble) return fail(error.status, [error.message, ...linesOf(error.hint)]);
  return fail(1, [reasonOf(error), ...linesOf(error instanceof KafkaError ? error.hint : undefined)]);
}

function linesOf(hint: string | undefined): string[] {
  return hint === undefined ? [] : [hint];
}

function fail(status: number, lines: string[]): number {
  tell(`hotitem: ${lines.join('\n')}\n`);
  return status;
}

function version(): string {
  return `hotitem ${packageVersion()}`;
}
