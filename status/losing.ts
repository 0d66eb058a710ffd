import type { Finding } from '../service/finding.ts';
import type { Loss } from '../service/losses.ts';
import { plainText } from '../service/plain-text.ts';
import type { Service } from './ask-service.ts';
import { type Clause, isSilent } from './capturing.ts';
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
  if (first === undefined) return { text: nothingLost(sidecar), findings: [] };
  const views = losses.reduce((sum, loss) => sum + loss.views, 0);
  const since = isoTime(Math.min(...losses.map((loss) => loss.first)));
  const others = losses.length > 1 ? `, and ${losses.length - 1} more reason(s)` : '';
  const verb = losses.some(({ last }) => now - last < JUST_NOW_MS) ? 'LOSING views' : 'LOST views';
  return {
    text: `${verb}: ${views} since ${since}: ${plainText(lossWords(first.reason).why, 200)}${others}`,
    findings: losses.map(toFinding),
  };
}

/** That losses in nginx are not counted, where they are not; else empty. */
export function uncounted({ sidecar }: StatusFacts): Finding[] {
  if (!('accounts' in sidecar) || !isUnreported(sidecar)) return [];
  return [
    {
      id: 'nginx-not-reporting',
      severity: 'note',
      what: 'no nginx has reported to this sidecar: what is lost in nginx is not counted',
      why: 'only http-batch.conf reports, within 20 s of the start of a sidecar',
      fix: 'include it in http (njs 0.8.1) and reload; the command says whether nginx can write to socket and spill folder',
      command: 'hotitem check --nginx',
    },
  ];
}

/** Only as much as is known: who does not report may have lost something. */
function nothingLost(sidecar: Service): string {
  if (!('accounts' in sidecar)) return 'nothing lost by the sink';
  if (isUnreported(sidecar)) return 'nothing lost behind nginx, which does not report';
  const { nginx, about } = sidecar.accounts;
  const reportedAt = nginx?.accounts?.reportedAt;
  const isGone = reportedAt !== undefined && isSilent(reportedAt, about?.now ?? reportedAt);
  return isGone ? 'nothing lost until then' : 'nothing lost';
}

/** A process of an older version does not say what it knows about nginx. */
function isUnreported({ accounts: { nginx } }: Extract<Service, { accounts: unknown }>): boolean {
  return nginx?.accounts === undefined;
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
