import { run } from '../../service/run.ts';

/** `1.26.3`, as `nginx -v` says it, or undefined where that is no nginx. */
export async function nginxVersion([program = '', ...args]: string[]): Promise<string | undefined> {
  const { stderr } = await run(program, [...args, '-v'], { timeoutMs: 10_000 });
  return /^nginx version: [^/]+\/(\d+(?:\.\d+)+)/m.exec(stderr)?.[1];
}

/** Below zero where version `a` is older than `b`, above where newer. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a.split('.').map(Number), b.split('.').map(Number)];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
