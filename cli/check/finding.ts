export type Severity = 'error' | 'warning' | 'note';

export type Place = { file: string; line: number };

/** One thing that an operator should know about an nginx, and how to put it right. */
export type Finding = {
  /** A short name that stays, for scripts: `njs-version`. */
  id: string;
  /** `error`: views are lost or not captured. `warning`: they may be, or pages suffer. `note`: nothing is wrong. */
  severity: Severity;
  what: string;
  where?: Place;
  why: string;
  fix: string;
};

/** Where a directive stands. */
export function placeOf({ file, line }: Place): Place {
  return { file, line };
}
