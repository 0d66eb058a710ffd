import { createCore } from '../../app/core.ts';
import { endProcessSoon } from '../../service/end-process.ts';
import { Trouble } from '../../service/trouble.ts';
import { gather } from '../../status/gather.ts';
import { verdictOf } from '../../status/status-verdict.ts';
import type { Command } from '../command.ts';
import { configure } from '../configure.ts';
import { parseTime } from '../parse-time.ts';
import { showWait } from '../progress.ts';
import { statusJson } from '../status-json.ts';
import { statusText } from '../status-report.ts';
import { print, printJson } from '../terminal.ts';
import { type Status, watchStatus } from '../watch-status.ts';

const LOSSES_FROM = '-24h';

export const status: Command = {
  about:
    'shows whether nginx captures, events are delivered, and views were lost; exits 0: all is well, 1: not, 3: views lost',
  options: {
    'lost-from': {
      type: 'string',
      placeholder: 'TIME',
      about: `ignore losses before this time (${LOSSES_FROM}; now: ignore all)`,
    },
    watch: {
      type: 'boolean',
      about: 'show it every 2 s, q quits; into a pipe: a line for each verdict, with --json for each change',
    },
    json: { type: 'boolean', about: 'print JSON' },
  },
  configured: true,
  async run(context) {
    const { json, watch, 'lost-from': from = LOSSES_FROM, ...flags } = context.flags;
    const core = createCore(configure({ ...context, flags }));
    const lossesFrom = parseTime('lost-from', String(from), core.now());
    // A question may still be pending.
    if (watch === true)
      return endProcessSoon(await watchStatus({ ask, json: json === true, env: context.env }));
    const { facts, verdict } = await showWait('asking the services', ask());
    const { sidecar, sink } = facts;
    if ('problem' in sidecar && (sink === undefined || !('accounts' in sink)))
      throw new Trouble(sidecar.problem, sidecar.hint);
    if (json === true) printJson(statusJson(facts, verdict));
    else print(statusText(facts, verdict));
    return verdict.status;

    async function ask(): Promise<Status> {
      const facts = await gather(core, lossesFrom);
      return { facts, verdict: verdictOf(facts) };
    }
  },
};
