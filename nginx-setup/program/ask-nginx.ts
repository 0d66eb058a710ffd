import type { Place } from '../../service/finding.ts';
import { plainText } from '../../service/plain-text.ts';
import { run } from '../../service/run.ts';
import { type Build, parseBuild } from './build.ts';
import { compareVersions } from './version.ts';

export type Asked = {
  build: Build;
  /** The output of -T; undefined if nginx rejects the configuration or must not read it. */
  dump: string | undefined;
  /** Why nginx rejects it. */
  complaints: Complaint[];
};

export type Complaint = { text: string; where?: Place; rights: boolean };

const ASK_MS = 20_000;
const LONGEST_REASON = 300;

/**
 * Asks an nginx for its build and its configuration, without starting or reloading it. `conf` is the file to read instead of its
 * default. Returns undefined if the command is not a working nginx.
 */
export async function askNginx(command: string[], conf?: string): Promise<Asked | undefined> {
  const [program = '', ...first] = command;
  const { stderr } = await run(program, [...first, '-V'], { timeoutMs: ASK_MS });
  const build = parseBuild(stderr);
  if (build === undefined) return undefined;
  // Otherwise it would also write its messages into the shop's error log.
  const quiet = compareVersions(build.version, '1.19.5') >= 0 ? ['-e', 'stderr'] : [];
  const named = conf === undefined ? [] : ['-c', conf];
  const ran = await run(program, [...first, '-T', ...quiet, ...named], { timeoutMs: ASK_MS });
  if (ran.code === 0) return { build, dump: ran.stdout, complaints: [] };
  return { build, dump: undefined, complaints: complaintsOf(ran.stderr) };
}

/** Why `askNginx` found no nginx, in words: what that program printed last, or how it ended. */
export async function whyNoNginx([program = '', ...first]: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(program, [...first, '-V'], { timeoutMs: ASK_MS });
  const last = `${stdout}\n${stderr}`.trim().split('\n').at(-1);
  if (last) return plainText(last, LONGEST_REASON);
  if (code < 0) return `it was ended by a signal, or took longer than ${ASK_MS / 1000} s`;
  return `it printed no version, and ended with exit status ${code}`;
}

// A log line if its error log is stderr, otherwise a message after its name.
const SEVERE = /^(?:nginx:|\d{4}\/\S+ \S+) \[(?:emerg|crit)\] (?:\d+#\d+: )?(.+)$/;

/** The texts of the `[emerg]` and `[crit]` lines of a configuration test, each once. */
export function complaintsOf(stderr: string): Complaint[] {
  const found = [...new Set(stderr.split('\n').flatMap((line) => SEVERE.exec(line)?.[1] ?? []))];
  const texts = found.length > 0 ? found : [stderr.trim().split('\n').at(-1) || 'nginx -T printed nothing'];
  return texts.map((whole) => {
    const [, text = whole, file, line] = /^(.*) in (\/.*):(\d+)$/.exec(whole) ?? [];
    const rights = whole.includes('(13: Permission denied)');
    return file === undefined ? { text, rights } : { text, rights, where: { file, line: Number(line) } };
  });
}
