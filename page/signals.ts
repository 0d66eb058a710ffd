import type { LiveDecision } from '../heat/live.ts';

export type Signal = { sign: string; word: string; isHot: boolean };

const SIGNALS: Record<LiveDecision['signal'], Signal> = {
  surge: { sign: '▲', word: 'surge', isHot: true },
  busy: { sign: '■', word: 'busy', isHot: true },
  pin: { sign: '●', word: 'pinned', isHot: true },
  concentrated: { sign: '◆', word: 'few visitors', isHot: false },
};

/** A signal by its name; one of a newer version as it is called. */
export function signalOf(name: string): Signal {
  return isKnown(name) ? SIGNALS[name] : { sign: '', word: name, isHot: true };
}

/** The sign and word of a signal. Its colour alone never tells which it is. */
export function signOf(name: string): string {
  const { sign, word } = signalOf(name);
  return `${sign} ${word}`.trim();
}

/** Of all decisions about an item. */
export function signsOf(decisions: readonly { signal: string }[]): string {
  return decisions.map(({ signal }) => signOf(signal)).join(' ');
}

function isKnown(name: string): name is LiveDecision['signal'] {
  return Object.hasOwn(SIGNALS, name);
}
