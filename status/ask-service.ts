import type { Accounts } from '../app/wire-sidecar.ts';
import { toJson } from '../service/json-text.ts';
import { toUrl } from '../service/listen-address.ts';
import { plainText } from '../service/plain-text.ts';

/** As for the control socket: a busy machine is no absence. */
const TIMEOUT_MS = 15_000;

/** A sidecar or a sink of this host, as its admin listener reports it; or why nothing is known about it. */
export type Service =
  | { at: string; ready: boolean; checks: string; accounts: Accounts }
  | { at: string; problem: string; hint: string; silent: boolean };

/** Asks the process that listens at `listen` (`admin.listen` or `admin.sink_listen`, named by `setting`). */
export async function askService(listen: string, setting: string): Promise<Service> {
  const base = toUrl(listen);
  const at = new URL(base).host;
  try {
    const [ready, accounts] = await Promise.all([
      ask(`${base}/readyz?verbose`),
      ask(`${base}/api/v1/accounting`),
    ]);
    return toService(at, setting, { ready, accounts });
  } catch {
    const hint = `Is it running? It listens on ${setting}.`;
    return { at, problem: `nothing answers at ${at}`, hint, silent: true };
  }
}

type Answer = { ok: boolean; status: number; body: string };

async function ask(url: string): Promise<Answer> {
  const reply = await fetch(url, {
    signal: AbortSignal.timeout(TIMEOUT_MS),
    redirect: 'manual',
    // With --watch a kept one may be closed just when it is used.
    headers: { connection: 'close' },
  });
  return { ok: reply.ok, status: reply.status, body: await reply.text() };
}

function toService(
  at: string,
  setting: string,
  { ready, accounts }: { ready: Answer; accounts: Answer },
): Service {
  const found = accounts.ok ? toAccounts(accounts.body) : undefined;
  if (found !== undefined) return { at, ready: ready.ok, checks: ready.body.trim(), accounts: found };
  const [said = ''] = accounts.body.trim().split('\n', 1);
  return {
    at,
    problem: `${at} answers ${accounts.status}: ${plainText(said, 200)}`,
    hint: `Is it hotitem that listens there? It listens on ${setting}.`,
    silent: false,
  };
}

/** Undefined if it is not an answer of hotitem. */
function toAccounts(body: string): Accounts | undefined {
  const value = toJson(body);
  return typeof value === 'object' && value !== null ? (value as Accounts) : undefined;
}
