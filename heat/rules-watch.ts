import { readFile, stat } from 'node:fs/promises';
import { reasonOf } from '../service/log.ts';
import { replaceFile } from '../service/replace-file.ts';
import { parseRules, RulesError } from './parse-rules.ts';
import { type RulesText, readRules } from './read-rules.ts';
import { NO_RULES, type RulesFile } from './rules-schema.ts';

export type RulesWatch = {
  /** Those in force. */
  rules(): RulesFile;
  state(): RulesState;
  /** Reads the file again where it has changed, and not since the look before. */
  look(): Promise<void>;
  close(): void;
};

export type RulesState = {
  /** Undefined without a file. */
  file: string | undefined;
  /** When those in force were read, ms since 1970. */
  since: number | undefined;
  /** What is wrong with the file as it is now; none where its rules are in force. */
  problems: string[];
};

export type RulesWatchOptions = {
  path: string | undefined;
  /** Where the last file that could be used is kept, for a start with one that cannot. */
  keptPath: string;
  now: () => number;
  warn: (key: string, message: string, fields?: object) => void;
  onRules: (rules: RulesFile) => void;
  everyMs?: number;
};

const EVERY_MS = 1_000;

/**
 * The rules of a file, which is looked at each second: by its inode, size and times, which works on every file system and for every
 * editor, whether it writes into the file or puts another in its place. It is read when it has not changed for a second: an editor may
 * empty it first, and a file without rules is a good one. A file that cannot be used leaves the rules before it in force. At a
 * start these are those of the last one that could, or the start fails with a `RulesError`: rules that switch something off
 * must not be lost by a typing error.
 */
export async function watchRules(options: RulesWatchOptions): Promise<RulesWatch> {
  const { path, keptPath, now, warn, onRules, everyMs = EVERY_MS } = options;
  let rules = NO_RULES;
  let since: number | undefined;
  let problems: string[] = [];
  let seen = '';
  /** What has changed to it since, and may still be changing. */
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
      await use(await readRules(file));
    } catch (error) {
      const kept = await readKept(keptPath);
      if (kept === undefined) throw error;
      rules = kept;
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
      await use(await readRules(file));
      onRules(rules);
    } catch (error) {
      refuse(error, file);
    }
    // What it was before it was read: what is written meanwhile is seen at the next looks.
    seen = sign;
  }

  async function use(read: RulesText): Promise<void> {
    rules = read.rules;
    since = now();
    problems = [];
    await replaceFile(keptPath, read.text).catch((error: unknown) =>
      warn('heat rules copy', 'a copy of the rules for hot items cannot be kept: a start needs a good file', {
        reason: reasonOf(error),
      }),
    );
  }

  function refuse(error: unknown, file: string): void {
    problems = error instanceof RulesError ? error.problems : [reasonOf(error)];
    warn(
      `heat rules ${problems.join()}`,
      'the rules for hot items cannot be used, those before stay in force',
      {
        file,
        problems,
      },
    );
  }
}

async function readKept(path: string): Promise<RulesFile | undefined> {
  try {
    return parseRules(await readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** What changes when the file does; why it cannot be looked at where that is so. */
async function signOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  } catch (error) {
    return reasonOf(error);
  }
}
