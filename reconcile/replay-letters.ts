import type { DeadLetterBox, KeptLetter } from '../store/dead-letters/box.ts';

export type ReplayLettersOptions = {
  box: DeadLetterBox;
  /** Redelivers letters; returns for each why that is not possible, or undefined. */
  deliver: (letters: KeptLetter[]) => Promise<(string | undefined)[]>;
  matches: (letter: KeptLetter) => boolean;
  /** Include those that were replayed before. */
  again: boolean;
  limit: number;
  /** Only count them. */
  dryRun: boolean;
  onProgress: (replayed: ReplayedLetters) => void;
};

export type ReplayedLetters = {
  /** Redelivered; with `dryRun`, those that would be. */
  replayed: number;
  /** Already replayed before, and left alone. */
  before: number;
  /** Cannot be redelivered, and stay. */
  refused: number;
  /** The first ones that cannot be redelivered. */
  examples: { id: string; reason: string }[];
};

const AT_ONCE = 100;
/** Bytes of values at once: the limit of one request to Kafka. */
const BYTES_AT_ONCE = 512 * 1024;
const MOST_EXAMPLES = 10;

/** Replays matching letters, oldest first. After a kill, some may be replayed again, which does no harm. */
export async function replayLetters(options: ReplayLettersOptions): Promise<ReplayedLetters> {
  const { box, deliver, matches, again, limit, dryRun, onProgress } = options;
  const result: ReplayedLetters = { replayed: 0, before: 0, refused: 0, examples: [] };
  let taken = 0;
  let some: KeptLetter[] = [];
  let bytes = 0;
  await box.read(async (letter) => {
    if (taken === limit || !matches(letter)) return;
    if (letter.replayed && !again) {
      result.before++;
      return;
    }
    taken++;
    if (some.length === AT_ONCE || bytes + letter.value.length > BYTES_AT_ONCE) await flush();
    some.push(letter);
    bytes += letter.value.length;
  });
  await flush();
  return result;

  async function flush(): Promise<void> {
    const letters = some;
    some = [];
    bytes = 0;
    if (letters.length === 0) return;
    const reasons = dryRun ? [] : await deliver(letters);
    const done = letters.filter((_, i) => reasons[i] === undefined);
    if (!dryRun) await box.markReplayed(done.map(({ id }) => id));
    result.replayed += done.length;
    result.refused += letters.length - done.length;
    letters.forEach(({ id }, i) => {
      const reason = reasons[i];
      if (reason !== undefined && result.examples.length < MOST_EXAMPLES)
        result.examples.push({ id, reason });
    });
    onProgress(result);
  }
}
