import type { LiveHead } from '../heat/live.ts';
import { count, timeOfDay } from './words.ts';

/** What is wrong, in sentences; empty where nothing is. `build`: that of this page. */
export function bannerOf(head: LiveHead | undefined, isStale: boolean, build: string | undefined): string {
  if (head === undefined) return '';
  if (isStale)
    return `Stale since ${timeOfDay(head.now, Date.now())}: the sidecar does not answer. What is shown was so then. This page asks again by itself.`;
  const problems: string[] = [];
  if (head.build !== build)
    problems.push('hotitem has another version since this page was opened: reload it.');
  if (head.frozen !== undefined) {
    const since = timeOfDay(head.frozen.since, head.now);
    problems.push(`Frozen since ${since}: nginx acts on no hot item. hotitem hot list says by whom and why.`);
  }
  if (head.failure !== undefined) problems.push('nginx does not see hot items. hotitem status says why.');
  // How many stands in the figures: here it would be read out twice a second.
  if (head.held > 0)
    problems.push(`More would be hot and are held back: the cap is ${count(head.cap)} for each signal.`);
  if (head.rulesProblems > 0)
    problems.push(
      'The file of rules cannot be used: the rules before it stay in force. hotitem status says why.',
    );
  return problems.join(' ');
}
