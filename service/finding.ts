export type Severity = 'error' | 'warning' | 'note';

export type Place = { file: string; line: number };

/** Something that an operator should know about an nginx or a configuration, and how to fix it. */
export type Finding = {
  /** A short, stable name for scripts and `--accept`: `njs-version`. */
  id: string;
  /** `error`: views are lost or not captured. `warning`: they may be, or pages suffer. `note`: nothing is wrong. */
  severity: Severity;
  what: string;
  where?: Place;
  why: string;
  /** What to do, in words. */
  fix: string;
  /** The shell command that does it; absent if a file must be edited by hand. */
  command?: string;
  /** Accepted by the operator: it is shown, and does not change the exit status. */
  accepted?: true;
};

/** The position of a directive. */
export function placeOf({ file, line }: Place): Place {
  return { file, line };
}

/** A path, quoted for a shell. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
