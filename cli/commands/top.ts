import { setTimeout as sleep } from 'node:timers/promises';
import type { LiveSnapshot } from '../../heat/live.ts';
import { toUrl } from '../../service/listen-address.ts';
import { reasonOf } from '../../service/log.ts';
import type { Command } from '../command.ts';
import { configure } from '../configure.ts';
import { UsageError } from '../parse-command-line.ts';
import { isScreen, onScreen } from '../screen/screen.ts';
import { render } from '../screen/styled.ts';
import { print } from '../terminal.ts';
import { liveStates } from '../top/live-client.ts';
import { topLines } from '../top/top-lines.ts';

const RETRY_MS = 1_000;

export const top: Command = {
  about: 'shows hot items live: rates, visitors, signal, why, and what nginx does; q quits',
  options: {
    once: { type: 'boolean', about: 'print the table once; the default if the output is not a terminal' },
  },
  configured: true,
  async run(context) {
    const { once, ...flags } = context.flags;
    if (context.positionals.length > 0) throw new UsageError('top: takes no argument');
    const { admin } = configure({ ...context, flags });
    const base = toUrl(admin.listen);
    const first = await firstState(base);
    if (once === true || !isScreen(process.stdout, context.env)) print(tableOf(first));
    else await showLive(base, first, context.env);
    return 0;
  },
};

/** Throws a `Trouble`: without any numbers there is nothing to show. */
async function firstState(base: string): Promise<LiveSnapshot> {
  const states = liveStates({ base, signal: new AbortController().signal });
  const { value } = await states.next();
  await states.return(undefined);
  return value;
}

function tableOf(state: LiveSnapshot): string {
  const lines = topLines({ state, columns: 0, rows: Number.POSITIVE_INFINITY });
  return lines
    .map((line) => `${render(line, { width: Number.POSITIVE_INFINITY, styled: false })}\n`)
    .join('');
}

function showLive(base: string, first: LiveSnapshot, env: Record<string, string | undefined>): Promise<void> {
  return onScreen(async (screen, signal, onResize) => {
    let state = first;
    let stale: { since: number; reason: string } | undefined;
    const draw = () =>
      screen.draw(
        topLines({
          state,
          columns: screen.columns(),
          rows: screen.rows(),
          ...(stale !== undefined && { stale }),
        }),
      );
    onResize(draw);
    draw();
    while (!signal.aborted) {
      try {
        for await (const next of liveStates({ base, signal })) {
          state = next;
          stale = undefined;
          draw();
        }
      } catch (error) {
        if (signal.aborted) return;
        stale = { since: stale?.since ?? Date.now(), reason: reasonOf(error) };
        draw();
      }
      await sleep(RETRY_MS, undefined, { signal });
    }
  }, env);
}
