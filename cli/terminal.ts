import { createInterface } from 'node:readline/promises';
import { ERROR_LEVEL, forJournal, isJournal } from '../service/journal.ts';
import { terminalJson } from '../service/json-text.ts';
import { plainLines } from '../service/plain-text.ts';

// The only file that writes to a terminal: escape sequences are never passed on.

/** Prints lines to standard output. */
export function print(text: string): void {
  process.stdout.write(plainLines(text));
}

/** Prints a line of JSON to standard output. */
export function printJson(value: unknown): void {
  process.stdout.write(`${terminalJson(JSON.stringify(value))}\n`);
}

/** Prints lines to standard error; in systemd's journal they are errors. */
export function tell(text: string): void {
  const lines = plainLines(text);
  process.stderr.write(isJournal(process.stderr.fd, process.env) ? forJournal(lines, ERROR_LEVEL) : lines);
}

/** Whether the operator types `yes`; false without a terminal. */
export async function askYes(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) return false;
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await asking.question(`${plainLines(question)}Type yes: `).finally(() => asking.close());
  return answer.trim().toLowerCase() === 'yes';
}
