import type { LiveHead, LiveItem, LivePage } from '../../heat/live.ts';
import { capitalised, limitText } from '../requests-text.ts';
import { count, seconds } from '../words.ts';

/** What nginx can be told to do, the weightiest first. */
const ACTIONS: Record<string, string> = {
  cache: 'cache it',
  limit: 'limit each visitor',
  isolate: 'isolate it',
  announce: 'tell the application',
};

/** What nginx knows of it, and may act on. */
export function doesOf(
  { decisions, problem, page, limit }: Pick<LiveItem, 'decisions' | 'problem' | 'page' | 'limit'>,
  head: LiveHead,
): string[] {
  if (head.frozen !== undefined) return ['Nothing: the hot list is frozen'];
  if (head.failure !== undefined) return ['Nothing: nginx does not see the hot list'];
  if (problem !== undefined) return [`Nothing: ${problem}`];
  const acted = decisions.filter(({ dryRun, actions }) => !dryRun && actions.length > 0);
  if (acted.length === 0) {
    return [
      decisions.some(({ dryRun }) => dryRun) ? 'Nothing: on trial (dry run)' : 'Nothing: it is only shown',
    ];
  }
  const actions = [...new Set(acted.flatMap((decision) => decision.actions))];
  return [
    ...(page === undefined ? [] : [pageOf(page, head.now)]),
    ...(limit === undefined ? [] : [capitalised(limitText(limit, countOrNone))]),
    `nginx was told: ${actions.map(actionWords).join(', ')}`,
  ];
}

/** Of a newer version: as it is called. */
function actionWords(action: string): string {
  return Object.hasOwn(ACTIONS, action) ? (ACTIONS[action] ?? action) : action;
}

function pageOf({ state, refreshedAt, reason = '' }: LivePage, now: number): string {
  if (state !== 'kept' || refreshedAt === undefined) return `Not cached: ${reason}`;
  const refreshed = `Cached, refreshed ${seconds(now - refreshedAt)} ago`;
  return reason === '' ? refreshed : `${refreshed} (${reason})`;
}

function countOrNone(value: number): string {
  return value === 0 ? 'none' : count(value);
}
