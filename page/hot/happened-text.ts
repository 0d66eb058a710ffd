import type { Happened } from '../../heat/live.ts';
import { signalOf } from '../signals.ts';
import { duration } from '../words.ts';

/** What happened to an item, in a sentence or two. */
export function happenedText({ item, name, signal, change, at, since, reason }: Happened): string {
  const { word, isHot } = signalOf(signal);
  const who = name ?? item;
  const lasted = duration(Math.max(0, at - since));
  if (change === 'leaves')
    return isHot
      ? `${who} is no longer hot (${word}), after ${lasted}.`
      : `${who}: no longer ${word}, after ${lasted}.`;
  if (change === 'changes')
    return `${who} stays ${isHot ? 'hot' : 'so'}, by other rules (${word}). ${reason}`;
  return isHot ? `${who} turned hot (${word}). ${reason}` : `${who}: ${word}. ${reason}`;
}
