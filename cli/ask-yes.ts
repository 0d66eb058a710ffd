import { createInterface } from 'node:readline/promises';

/** Whether somebody at the terminal types `yes`; false where nobody can be asked. */
export async function askYes(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) return false;
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await asking.question(`${question}Type yes: `).finally(() => asking.close());
  return answer.trim().toLowerCase() === 'yes';
}
