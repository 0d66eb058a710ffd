import type { KeptState } from '../../protect/keeper.ts';
import { plainText } from '../../service/plain-text.ts';

const LONGEST_REASON = 200;

/** What nginx does with the page of a hot item: a reason may be words of the application. */
export function keptText(page: KeptState, now: number): string {
  const reason = page.reason === undefined ? '' : plainText(page.reason, LONGEST_REASON);
  if (page.state !== 'kept') return `not cached: ${reason}`;
  const age = ((now - page.refreshedAt) / 1_000).toFixed(1);
  return `cached, refreshed ${age} s ago${reason === '' ? '' : ` (${reason})`}`;
}
