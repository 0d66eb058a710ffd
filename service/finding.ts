export type Severity = 'error' | 'warning' | 'note';

export type Place = { file: string; line: number };

/** One thing that an operator should know about an nginx or a configuration, and how to put it right. */
export type Finding = {
  /** A short name that stays, for scripts and `--accept`: `njs-version`. */
  id: string;
  /** `error`: views are lost or not captured. `warning`: they may be, or pages suffer. `note`: nothing is wrong. */
  severity: Severity;
  what: string;
  where?: Place;
  why: string;
  /** What to do, in words. */
  fix: string;
  /** The command that does it, as a shell takes it; absent where a file must be edited by hand. */
  command?: string;
  /** The operator knows it and wants it so: it is shown, and changes no exit status. */
  accepted?: true;
};

/** The position of a directive. */
export function placeOf({ file, line }: Place): Place {
  return { file, line };
}

/** A path as one word of a `command`. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
