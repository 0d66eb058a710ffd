import type { Change } from '../service/change.ts';

const WIDTH = 14;
const DONE = { create: 'created', update: 'updated', unchanged: 'unchanged', kept: 'kept' };
const TO_DO = { ...DONE, create: 'would create', update: 'would update' };

/** What setup did, or would do: one line per object, and below it each setting with its old and new value. */
export function changesText(changes: Change[], dryRun: boolean): string {
  const verbs = dryRun ? TO_DO : DONE;
  return changes
    .map((change) => `${verbs[change.action].padEnd(WIDTH)}${change.what}\n${details(change)}`)
    .join('');
}

/** What an operator must know before confirming. */
export function lossesText(changes: Change[]): string {
  return changes.map((change) => `${change.what} loses ${change.loses}\n${details(change)}`).join('');
}

function details({ action, settings = [], loses, note }: Change): string {
  const lines = settings.map(({ name, from, to }) => `${name}: ${from} → ${to}`);
  if (action === 'kept') lines.push(`would lose ${loses}: nothing was changed; --yes allows it`);
  else if (loses !== undefined) lines.push(`loses ${loses}`);
  if (note !== undefined) lines.push(note);
  return lines.map((line) => `${' '.repeat(WIDTH)}${line}\n`).join('');
}
