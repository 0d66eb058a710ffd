import type { StatusFacts } from '../status/facts.ts';
import type { Verdict } from '../status/status-verdict.ts';

/** What `hotitem status --json` prints. */
export function statusJson(
  { sidecar, sink, kafka, index, installed }: StatusFacts,
  { line, findings }: Verdict,
): object {
  const own = 'accounts' in sidecar ? sidecar : undefined;
  const beside = sink !== undefined && 'accounts' in sink ? sink.accounts.sink : undefined;
  return {
    verdict: line,
    findings,
    ready: own?.ready ?? false,
    checks: own?.checks ?? '',
    installed,
    kafka,
    index,
    ...own?.accounts,
    ...(beside !== undefined && { sink: beside }),
  };
}
