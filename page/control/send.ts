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
    if (answer.ok) {
      const fetched = action === 'purge' ? ageIn(await textOf(answer)) : undefined;
      return { isRefused: false, text: ACTIONS[action].done(item ?? '', fetched) };
    }
    const text = errorIn(await textOf(answer));
    return {
      isRefused: answer.status === 401,
      text: `Not done: ${text || `status ${answer.status}`}.`,
    };
  } catch {
    return { isRefused: false, text: 'Not done, perhaps: the sidecar does not answer.' };
  }
}

/** Empty if it breaks off: what is done is done. */
function textOf(answer: Response): Promise<string> {
  return answer.text().catch(() => '');
}

function errorIn(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && 'error' in value ? String(value.error) : '';
  } catch {
    return text.trim().slice(0, 200);
  }
}

/** How old the page is that a purge fetched; undefined if the answer does not say. */
function ageIn(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const pages = typeof value === 'object' && value !== null && 'pages' in value ? value.pages : undefined;
    const page: unknown = Array.isArray(pages) ? pages[0] : undefined;
    const ms = typeof page === 'object' && page !== null && 'ageMs' in page ? page.ageMs : undefined;
    return typeof ms === 'number' ? age(ms) : undefined;
  } catch {
    return undefined;
  }
}
