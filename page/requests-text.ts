import type { LiveEnds, LiveLimit } from '../heat/live.ts';

/*
 * Sentences about requests for hot items, for the page and for commands, which write numbers in another way. Types alone are imported: with
 * words.ts, a command would make all formats of the page at its start.
 */

/** What limit.conf did with the requests since it is hot, or since the sidecar started. */
export function limitText(
  { passed, limited, wouldLimit }: LiveLimit,
  number: (value: number) => string,
): string {
  const of = `of ${number(passed + limited + wouldLimit)} requests`;
  if (wouldLimit === 0) return `limited ${number(limited)} ${of}`;
  const would = `would have limited ${number(wouldLimit)} ${of} (dry run)`;
  return limited === 0 ? would : `limited ${number(limited)}, ${would}`;
}

/** How many requests ended badly, and how. */
export function deadEndsText(
  { ok, notFound, rejected, error, left }: Omit<LiveEnds, 'since'>,
  number: (value: number) => string,
): string {
  const bad = notFound + rejected + error + left;
  const ended = `of ${number(ok + bad)} requests ended badly`;
  if (bad === 0) return `none ${ended}`;
  const kinds: [number, string][] = [
    [error, 'with an error (5xx)'],
    [notFound, 'not found (404)'],
    [rejected, 'rejected (429)'],
    [left, 'left before the end of the answer'],
  ];
  const told = kinds
    .filter(([requests]) => requests > 0)
    .map(([requests, how]) => `${number(requests)} ${how}`);
  return `${number(bad)} ${ended}: ${told.join(', ')}`;
}

export function capitalised(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
