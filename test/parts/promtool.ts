import { spawnSync } from 'node:child_process';
import type { Prometheus } from '../provision/prometheus.ts';

/** What promtool says: its exit code, and all that it prints. */
export function promtool(
  { promtool }: Prometheus,
  args: string[],
  input = '',
): { code: number; text: string } {
  const [program = '', ...first] = promtool;
  const { status, stdout, stderr } = spawnSync(program, [...first, ...args], { input, encoding: 'utf8' });
  return { code: status ?? -1, text: `${stdout}${stderr}` };
}
