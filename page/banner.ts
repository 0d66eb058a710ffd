import type { LiveHead } from '../heat/live.ts';
import { LOGIN_ENDED } from './login.ts';
import { count, timeOfDay } from './words.ts';

export type BannerContext = {
  isStale: boolean;
  isLoggedOut: boolean;
  /** That of this page. */
  build: string | undefined;
};

/** What is wrong, in sentences; empty where nothing is. */
export function bannerOf(head: LiveHead | undefined, { isStale, isLoggedOut, build }: BannerContext): string {
  if (head === undefined) return '';
  if (isStale) {
    const why = isLoggedOut ? LOGIN_ENDED : 'the sidecar does not answer';
    return `Stale since ${timeOfDay(head.now, Date.now())}: ${why}. What is shown was so then. This page asks again by itself.`;
  }
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
