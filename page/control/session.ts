/** Who controls, as long as this tab is open. Not in an address or a cookie, nor in another tab, except that *Duplicate Tab* copies it. */
export type Session = { token: string; name: string };

const KEY = 'hotitem-control';

export function readSession(): Session | undefined {
  try {
    const value: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? 'null');
    return isSession(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function writeSession(session: Session | undefined): void {
  if (session === undefined) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, JSON.stringify(session));
}

function isSession(value: unknown): value is Session {
  return (
    typeof value === 'object' &&
    value !== null &&
    'token' in value &&
    'name' in value &&
    typeof value.token === 'string' &&
    typeof value.name === 'string'
  );
}
