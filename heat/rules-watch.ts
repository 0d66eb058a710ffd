import { signOf } from '../service/file-sign.ts';
import { reasonOf } from '../service/log.ts';
import { replaceFile } from '../service/replace-file.ts';
import { type RulesContext, RulesError } from './parse-rules.ts';
import { type RulesText, readRules } from './read-rules.ts';
import { NO_RULES, type RulesFile } from './rules-schema.ts';

export type RulesWatch = {
  /** The rules in effect. */
  rules(): RulesFile;
  state(): RulesState;
  /** Checks the file, and reads it if it has changed and then been unchanged since the last check. */
  look(): Promise<void>;
  close(): void;
};

export type RulesState = {
  /** Undefined if no file is configured. */
  file: string | undefined;
  /** When the rules in effect were read, ms since 1970. */
  since: number | undefined;
  /** The problems of the current file; empty if its rules are in effect. */
  problems: string[];
};

export type RulesWatchOptions = RulesContext & {
  path: string | undefined;
  /** Copy of the last valid file, for a start with an invalid one. */
  keptPath: string;
  now: () => number;
  warn: (key: string, message: string, fields?: object) => void;
  onRules: (rules: RulesFile) => void;
  everyMs?: number;
};

const EVERY_MS = 1_000;

/**
 * Watches the rules file. Every second it compares inode, size and times, which works on every file system, and for editors that write in
 * place as well as those that replace the file. It reads the file once it has been unchanged for a second, because an editor may truncate
 * it first. If the file is invalid, the previous rules stay in effect. At a start these are those of the last valid file; without one, it
 * rejects with a `RulesError`: a typing error must not discard rules that switch something off.
 */
export async function watchRules(options: RulesWatchOptions): Promise<RulesWatch> {
  const { path, keptPath, now, warn, onRules, everyMs = EVERY_MS } = options;
  let rules = NO_RULES;
  let since: number | undefined;
  let problems: string[] = [];
  let seen = '';
  /** State of the file after a change; it may still be changing. */
  let found = '';
  let looking: Promise<void> | undefined;
  if (path === undefined) {
    return { rules: () => rules, state, look: async () => {}, close() {} };
  }
  await begin(path);
  const timer = setInterval(() => void look(path), everyMs);
  timer.unref();
  return { rules: () => rules, state, look: () => look(path), close: () => clearInterval(timer) };

  function state(): RulesState {
    return { file: path, since, problems };
  }

  async function begin(file: string): Promise<void> {
    const before = await signOf(file);
    try {
      await use(await readRules(file, options));
    } catch (error) {
      const kept = await readRules(keptPath, options).catch(() => undefined);
      if (kept === undefined) throw error;
      rules = kept.rules;
      refuse(error, file);
    }
    seen = before;
  }

  function look(file: string): Promise<void> {
    looking ??= lookOnce(file).finally(() => {
      looking = undefined;
    });
    return looking;
  }

  async function lookOnce(file: string): Promise<void> {
    const sign = await signOf(file);
    const isSettled = sign === found;
    found = sign;
    if (sign === seen || !isSettled) return;
    try {
      await use(await readRules(file, options));
      onRules(rules);
    } catch (error) {
      refuse(error, file);
    }
    // The state from before the read: a write during the read is noticed by later checks.
    seen = sign;
  }

  async function use(read: RulesText): Promise<void> {
    rules = read.rules;
    since = now();
    problems = [];
    await replaceFile(keptPath, read.text).catch((error: unknown) =>
      warn(
        'heat rules copy',
        'cannot store a copy of the rules for hot items: a restart needs a valid file',
        {
          reason: reasonOf(error),
        },
      ),
    );
  }

  function refuse(error: unknown, file: string): void {
    problems = error instanceof RulesError ? error.problems : [reasonOf(error)];
    warn(
      `heat rules ${problems.join()}`,
      'the rules for hot items are invalid; the previous rules stay in effect',
      {
        file,
        problems,
      },
    );
  }
}
