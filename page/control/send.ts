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
    if (answer.ok) return { isRefused: false, text: ACTIONS[action].done(item ?? '') };
    const text = errorIn(await answer.text());
    return {
      isRefused: answer.status === 401,
      text: `Not done: ${text || `status ${answer.status}`}.`,
    };
  } catch {
    return { isRefused: false, text: 'Not done, perhaps: the sidecar does not answer.' };
  }
}

function errorIn(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && 'error' in value ? String(value.error) : '';
  } catch {
    return text.trim().slice(0, 200);
  }
}
