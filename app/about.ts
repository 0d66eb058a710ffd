import { packageVersion } from '../service/package-version.ts';

/** What a running process reports about itself. */
export type About = {
  /** The running version; another one may be installed by now. */
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
