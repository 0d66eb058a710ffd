import { createCore } from '../../app/core.ts';
import { Trouble } from '../../service/trouble.ts';
import type { StatusFacts } from '../../status/facts.ts';
import { gather } from '../../status/gather.ts';
import { type Verdict, verdictOf } from '../../status/status-verdict.ts';
import type { Command } from '../command.ts';
import { configure } from '../configure.ts';
import { parseTime } from '../parse-time.ts';
import { statusText } from '../status-report.ts';
import { print, printJson } from '../terminal.ts';

const LOSSES_FROM = '-24h';

export const status: Command = {
  about:
    'is nginx capturing, are events delivered, were any lost? exits 0: all is well, 1: not, 3: views lost',
  options: {
    'lost-from': {
      type: 'string',
      placeholder: 'TIME',
      about: `ignore losses before this (${LOSSES_FROM}; now: all of them)`,
    },
    json: { type: 'boolean', about: 'print JSON' },
  },
  configured: true,
  async run(context) {
    const { json, 'lost-from': from = LOSSES_FROM, ...flags } = context.flags;
    const core = createCore(configure({ ...context, flags }));
    const facts = await gather(core, parseTime('lost-from', String(from), core.now()));
    const { sidecar, sink } = facts;
    if ('problem' in sidecar && (sink === undefined || !('accounts' in sink)))
      throw new Trouble(sidecar.problem, sidecar.hint);
    const verdict = verdictOf(facts);
    if (json === true) printJson(toJson(facts, verdict));
    else print(statusText(facts, verdict));
    return verdict.status;
  },
};

function toJson({ sidecar, sink, kafka, index, installed }: StatusFacts, verdict: Verdict): object {
  const own = 'accounts' in sidecar ? sidecar : undefined;
  const beside = sink !== undefined && 'accounts' in sink ? sink.accounts.sink : undefined;
  return {
    verdict: verdict.line,
    findings: verdict.findings,
    ready: own?.ready ?? false,
    checks: own?.checks ?? '',
    installed,
    kafka,
    index,
    ...own?.accounts,
    ...(beside !== undefined && { sink: beside }),
  };
}
