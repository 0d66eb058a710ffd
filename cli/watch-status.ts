import { setTimeout as sleep } from 'node:timers/promises';
import { abortable } from '../service/abortable.ts';
import type { StatusFacts } from '../status/facts.ts';
import { isoTime } from '../status/iso-time.ts';
import type { Verdict } from '../status/status-verdict.ts';
import { isScreen, onScreen } from './screen/screen.ts';
import { statusJson } from './status-json.ts';
import { statusText } from './status-report.ts';
import { print, printJson } from './terminal.ts';

export type Status = { facts: StatusFacts; verdict: Verdict };

type WatchOptions = {
  ask: () => Promise<Status>;
  json: boolean;
  env: Record<string, string | undefined>;
};

const EVERY_MS = 2_000;
/** Differ in every answer. */
const CLOCKS = new Set(['now', 'reportedAt']);

/**
 * Asks until the operator quits; returns the exit status of the last verdict. A terminal shows the report; anything else gets a line for
 * each new verdict, or with `json` a line of JSON for each change.
 */
export async function watchStatus({ ask, json, env }: WatchOptions): Promise<number> {
  let latest = await ask();
  if (!json && isScreen(process.stdout, env)) await onScreen(drawAll, env);
  else await printChanges();
  return latest.verdict.status;

  function drawAll(...[screen, signal, onResize]: Parameters<Parameters<typeof onScreen>[0]>): Promise<void> {
    const draw = () => screen.draw(linesOf(latest));
    onResize(draw);
    return repeat(signal, draw);
  }

  async function printChanges(): Promise<void> {
    const closed = new AbortController();
    // Who reads, as `head` does, has enough.
    process.stdout.once('error', () => closed.abort());
    let before = '';
    await repeat(closed.signal, () => {
      const { facts, verdict } = latest;
      const value = statusJson(facts, verdict);
      const now = json ? JSON.stringify(value, withoutClocks) : verdict.line;
      if (now === before) return;
      before = now;
      const time = isoTime(facts.now);
      if (json) printJson({ time, ...value });
      else print(`${time} ${verdict.line}\n`);
    }).catch((error) => {
      if (!closed.signal.aborted) throw error;
    });
  }

  async function repeat(signal: AbortSignal, show: () => void): Promise<void> {
    while (!signal.aborted) {
      show();
      await sleep(EVERY_MS, undefined, { signal });
      // An answer that takes long must not delay who quits.
      latest = await abortable(signal, ask());
    }
  }
}

function linesOf({ facts, verdict }: Status) {
  const [first = '', ...rest] = statusText(facts, verdict).split('\n');
  return [
    [{ text: `${isoTime(facts.now)} ` }, { text: first, style: 'bold' as const }],
    ...rest.map((text) => [{ text }]),
  ];
}

function withoutClocks(key: string, value: unknown): unknown {
  return CLOCKS.has(key) ? undefined : value;
}
