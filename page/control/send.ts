import { age } from '../words.ts';
import { ACTIONS, type ActionName, LASTS_MS } from './actions.ts';
import type { Session } from './session.ts';

export type Wish = { action: ActionName; item?: string | undefined; reason: string };

/** `isRefused`: the token is wrong. */
export type Sent = { isRefused: boolean; text: string };

/** `now`: the clock of the sidecar. Never rejects: what went wrong is in the words of the sidecar. */
export async function send(
  { action, item, reason }: Wish,
  { token, name }: Session,
  now: number,
): Promise<Sent> {
  const lasts = action === 'pin' || action === 'ban';
  const body = {
    ...(item !== undefined && { item }),
    ...(lasts && { until: Math.round(now + LASTS_MS) }),
    reason,
    by: name,
  };
  try {
    const answer = await fetch(ACTIONS[action].path, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    // Empty if it breaks off: what is done is done.
    const text = await answer.text().catch(() => '');
    const said = parse(text);
    if (answer.ok) {
      const fetched = action === 'purge' ? ageIn(said) : undefined;
      return { isRefused: false, text: ACTIONS[action].done(item ?? '', fetched) };
    }
    const why = said === undefined ? text.trim().slice(0, 200) : String(said.error ?? '');
    return {
      isRefused: answer.status === 401,
      text: `Not done: ${why || `status ${answer.status}`}.`,
    };
  } catch {
    return { isRefused: false, text: 'Not done, perhaps: the sidecar does not answer.' };
  }
}

/** Undefined if it is no object in JSON, for example an error page of a proxy. */
function parse(text: string): { error?: unknown; pages?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** How old the page is that a purge fetched; undefined if the answer does not say. */
function ageIn(said: { pages?: unknown } | undefined): string | undefined {
  const page: unknown = Array.isArray(said?.pages) ? said.pages[0] : undefined;
  const ms = typeof page === 'object' && page !== null && 'ageMs' in page ? page.ageMs : undefined;
  return typeof ms === 'number' ? age(ms) : undefined;
}
