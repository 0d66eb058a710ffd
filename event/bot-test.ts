import { isbot } from 'isbot';
import { agentText, cutText } from './field-text.ts';
import type { Line } from './line.ts';
import { UA } from './line-fields.ts';

/** Whether the user agent of a line is a bot's by its own words; none at all is not. */
export type BotTest = (line: Line) => boolean;

/** Verdicts that are looked at for one user agent. */
const WAYS = 4;
/** The lowest bit of a hash's second word gives way to the verdict. */
const VERDICT = 1;
/** Zero marks an empty slot; a hash of zero is stored as this. */
const NOT_EMPTY = 1;

/**
 * isbot's verdict, remembered by the hash of the user agent: its pattern of 200 alternatives takes 4 µs for a browser's and
 * 40 µs for the worst of 1,024 characters (it is linear, and the text is cut there). `size` verdicts, a power of two, in
 * buckets of four; a new one takes the place of the oldest of its bucket, so that a flood of invented user agents costs no
 * more than their asking. 32 KB at the default size.
 */
export function createBotTest(size = 4096): BotTest {
  const slots = new Int32Array(2 * size);
  const buckets = size / WAYS;
  let turn = 0;
  return (line) => {
    if (line.begin[UA] === line.end[UA]) return false;
    const high = line.agentBits(0) || NOT_EMPTY;
    const low = line.agentBits(1) & ~VERDICT;
    const bucket = 2 * WAYS * ((line.agentBits(1) >>> 1) & (buckets - 1));
    for (let at = bucket; at < bucket + 2 * WAYS; at += 2) {
      const verdict = (slots[at + 1] ?? 0) ^ low;
      if (slots[at] === high && (verdict & ~VERDICT) === 0) return verdict === VERDICT;
    }
    const isBot = isbot(cutText('ua', agentText(line)));
    turn = (turn + 1) % WAYS;
    slots[bucket + 2 * turn] = high;
    slots[bucket + 2 * turn + 1] = low | (isBot ? VERDICT : 0);
    return isBot;
  };
}
