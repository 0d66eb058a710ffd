import { UsageError } from './parse-command-line.ts';

/** Parses a flag that is a whole number. Throws a `UsageError`. */
export function parseCount(
  flag: string,
  text: string,
  { least, most }: { least: number; most: number },
): number {
  const count = Number(text);
  if (/^\d{1,9}$/.test(text) && count >= least && count <= most) return count;
  throw new UsageError(
    `--${flag}: must be a whole number from ${least} to ${most} (got ${JSON.stringify(text)})`,
  );
}
