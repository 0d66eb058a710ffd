import { signOf } from '../service/file-sign.ts';
import { reasonOf } from '../service/log.ts';
import { replaceFile } from '../service/replace-file.ts';
import { watchFile } from '../service/watch-file.ts';
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

/**
 * Watches the rules file. Every second it compares inode, size and times, which works on every file system, and for editors that write in
 * place as well as those that replace the file. It reads the file once it has been unchanged for a second, because an editor may truncate
 * it first. If the file is invalid, the previous rules stay in effect. At a start these are those of the last valid file; without one, it
 * rejects with a `RulesError`: a typing error must not discard rules that switch something off.
 */
export async function watchRules(options: RulesWatchOptions): Promise<RulesWatch> {
  const { path, keptPath, now, warn, onRules, everyMs } = options;
  let rules = NO_RULES;
  let since: number | undefined;
  let problems: string[] = [];
  if (path === undefined) {
    return { rules: () => rules, state, look: async () => {}, close() {} };
  }
  const watch = watchFile({ path, seen: await begin(path), everyMs, read: () => readAgain(path) });
  return { rules: () => rules, state, look: watch.look, close: () => void watch.close() };

  function state(): RulesState {
    return { file: path, since, problems };
  }

  /** Returns the state of the file before it was read. */
  async function begin(file: string): Promise<string> {
    const before = await signOf(file);
    try {
      await use(await readRules(file, options));
    } catch (error) {
      const kept = await readRules(keptPath, options).catch(() => undefined);
      if (kept === undefined) throw error;
      rules = kept.rules;
      refuse(error, file);
    }
    return before;
  }

  async function readAgain(file: string): Promise<boolean> {
    try {
      await use(await readRules(file, options));
      onRules(rules);
    } catch (error) {
      refuse(error, file);
    }
    return false;
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
