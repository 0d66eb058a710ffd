import type { Loss } from '../service/losses.ts';
import { plainText } from '../service/plain-text.ts';
import type { Clause } from './capturing.ts';
import type { StatusFacts } from './facts.ts';
import { isoTime } from './iso-time.ts';
import { lossWords } from './loss-words.ts';

/** A loss within this time is ongoing; otherwise it is over. */
const JUST_NOW_MS = 60_000;

/** What was lost, since when and why. */
export function losing({ sidecar, sink, now, lossesFrom }: StatusFacts): Clause {
  const all = [sidecar, sink].flatMap((one) =>
    one !== undefined && 'accounts' in one ? (one.accounts.losses ?? []) : [],
  );
  const losses = all.filter(({ last }) => last >= lossesFrom).sort((a, b) => b.views - a.views);
  const [first] = losses;
  if (first === undefined) return { text: 'nothing lost', findings: [] };
  const views = losses.reduce((sum, loss) => sum + loss.views, 0);
  const since = isoTime(Math.min(...losses.map((loss) => loss.first)));
  const others = losses.length > 1 ? `, and ${losses.length - 1} more reason(s)` : '';
  const verb = losses.some(({ last }) => now - last < JUST_NOW_MS) ? 'LOSING views' : 'LOST views';
  return {
    text: `${verb}: ${views} since ${since}: ${plainText(lossWords(first.reason).why, 200)}${others}`,
    findings: losses.map(toFinding),
  };
}

function toFinding({ reason, views, first, last }: Loss) {
  const { why, fix } = lossWords(reason);
  return {
    id: `lost-${reason.replaceAll('_', '-')}`,
    severity: 'error' as const,
    what: `${views} views lost from ${isoTime(first)} to ${isoTime(last)}`,
    why: plainText(why, 200),
    fix,
  };
}
