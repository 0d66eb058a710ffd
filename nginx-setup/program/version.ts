import { run } from '../../service/run.ts';

/** The version that `nginx -v` prints, such as `1.26.3`; undefined if that is not nginx. */
export async function nginxVersion([program = '', ...args]: string[]): Promise<string | undefined> {
  const { stderr } = await run(program, [...args, '-v'], { timeoutMs: 10_000 });
  return /^nginx version: [^/]+\/(\d+(?:\.\d+)+)/m.exec(stderr)?.[1];
}

/** The oldest njs with which http.conf was tested. */
export const NJS_FROM = '0.7.9';

/** The oldest njs with which http-batch.conf works. */
export const BATCH_FROM = '0.8.1';

/** Negative if version `a` is older than `b`, positive if newer. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a.split('.').map(Number), b.split('.').map(Number)];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
