import { type Address, hashOf } from './address.ts';

/** Changes a choice in the address, without a new entry in the history of the browser. */
export function choose(address: Address, name: string, value: string, fallback: string): void {
  if (value === fallback) address.choices.delete(name);
  else address.choices.set(name, value);
  try {
    history.replaceState(null, '', hashOf(address));
  } catch {
    // Safari allows a hundred in half a minute, as when somebody types fast. What was chosen applies; the next choice puts it into the address.
  }
}
