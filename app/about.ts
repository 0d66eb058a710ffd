import { packageVersion } from '../service/package-version.ts';

/** What a running process says of itself. */
export type About = {
  /** Which hotitem it runs; what is installed may be another one by now. */
  version: string;
  node: string;
  pid: number;
  /** ms since 1970, by its own clock. */
  started: number;
  now: number;
};

/** Call it at the start. */
export function createAbout(node: string, now: () => number): () => About {
  const fixed = { version: packageVersion(), node, pid: process.pid, started: now() };
  return () => ({ ...fixed, now: now() });
}
