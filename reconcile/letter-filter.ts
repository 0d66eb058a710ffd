import type { KeptLetter } from '../store/dead-letters/box.ts';

export type LetterFilter = {
  /** Part of the reason, case-insensitive. */
  reason?: string | undefined;
  /** Beginning of the origin: `collection_hot_item/3/`. */
  origin?: string | undefined;
  /** Became a dead letter in this range; ms since 1970. */
  since?: number | undefined;
  until?: number | undefined;
};

/** Whether a letter matches; without conditions, all do. */
export function toLetterFilter({
  reason,
  origin,
  since,
  until,
}: LetterFilter): (letter: KeptLetter) => boolean {
  const wanted = reason?.toLowerCase();
  return (letter) =>
    (wanted === undefined || letter.reason.toLowerCase().includes(wanted)) &&
    (origin === undefined || letter.origin.startsWith(origin)) &&
    (since === undefined || letter.time >= since) &&
    (until === undefined || letter.time < until);
}
