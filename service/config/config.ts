import { dirname, isAbsolute, join, resolve } from 'node:path';
import { codeOf } from '../error-code.ts';
import { explain, show } from './explain.ts';
import { type ConfigPlace, findConfigFile } from './find-config-file.ts';
import { isOfKubernetes } from './foreign-variables.ts';
import { fromEnvironment, fromFlags } from './given-values.ts';
import { issuesToTell } from './issue-words.ts';
import { parseSettings } from './parse-settings.ts';
import { readOwn, readWithRights, type SettingsFile } from './read-rights.ts';
import { SECRETS, SETTINGS, settingOf } from './setting.ts';
import { DEFAULT_TOPIC, decisionTopicOf, type Settings, settings } from './settings.ts';

/** The settings, and what follows from them. */
type Complete = Omit<Settings, 'kafka' | 'heat' | 'elasticsearch'> & {
  kafka: Settings['kafka'] & {
    group: string;
    decision_topic: string;
    /** Consumer group of the sinks for decisions: all members of a group read one topic. */
    decision_group: string;
  };
  elasticsearch: Settings['elasticsearch'] & { decision_data_stream: string };
  heat: Settings['heat'] & { dir: string };
};

export type Config = Complete & {
  /** The settings that were given, whatever their value: `kafka.partitions`. */
  given: ReadonlySet<string>;
  /** Variables with our prefix that belong to another program: `HOTITEM_SERVICE_HOST`. */
  ignored: string[];
  /** The files that settings were read from. */
  files: SettingsFile[];
  /** Which configuration file is used, and which others were looked for. */
  source: ConfigPlace;
  /** Whether `home` depends on the working directory. */
  homeIsRelative: boolean;
};

/** All problems of a configuration, one per line: `path: problem (got value)`. */
export class ConfigError extends Error {
  override name = 'ConfigError';
  readonly problems: string[];
  /** The configuration file, if there is one. */
  readonly file: string | undefined;

  constructor(problems: string[], file?: string) {
    super(problems.join('\n'));
    this.problems = problems;
    this.file = file;
  }
}

export type ConfigSources = {
  /** A YAML file; default: the one that HOTITEM_CONFIG names. */
  file?: string | undefined;
  /** Where to look for a file if none is named, and as which user; the first is used, if it belongs to root or that user. */
  usual?: { paths: string[]; uid: number };
  env: Record<string, string | undefined>;
  /** By setting, as `FLAGS` names them: `{'spool-max-bytes': '1000'}`. */
  flags: Record<string, string | undefined>;
};

/** Linux allows 107 bytes and a NUL. */
const LONGEST_SOCKET_PATH = 107;
const DEFAULT_GROUP = 'hotitem-sink';
/**
 * Reads the configuration: file, then environment, then flags; later ones override earlier ones. Throws a `ConfigError` with all problems.
 */
export function loadConfig(sources: ConfigSources): Config {
  const problems: string[] = [];
  const files: SettingsFile[] = [];
  const ignored = Object.keys(sources.env).filter((variable) => isForeign(variable, sources.env[variable]));
  const env = Object.fromEntries(Object.entries(sources.env).filter(([name]) => !ignored.includes(name)));
  const source = findConfigFile(sources);
  const merged = readFile(source, sources.usual?.uid ?? 0, { problems, files });
  const formerNames = renameFormer(merged, problems);
  for (const { path, value, former } of [
    ...fromEnvironment(env, problems, files),
    ...fromFlags(sources.flags, problems),
  ]) {
    put(merged, path, value);
    formerNames.set(path.join('.'), former);
  }
  const result = settings.safeParse(merged, { reportInput: true });
  if (!result.success)
    problems.push(...issuesToTell(result.error.issues).flatMap((issue) => explain(issue, formerNames)));
  const config = result.success ? withWholePaths(withDerived(result.data)) : undefined;
  if (config !== undefined) problems.push(...socketProblems(config));
  if (problems.length > 0 || config === undefined) throw new ConfigError(problems, source.file);
  const homeIsRelative = result.success && !isAbsolute(result.data.home);
  return { ...config, given: givenIn(merged), ignored, files, source, homeIsRelative };
}

function isForeign(variable: string, value: string | undefined): boolean {
  if (value === undefined || !variable.startsWith('HOTITEM_') || settingOf(variable) !== undefined)
    return false;
  return isOfKubernetes(variable, value);
}

function givenIn(merged: Record<string, unknown>): ReadonlySet<string> {
  const given = SETTINGS.filter(({ path }) => {
    const value = valueAt(merged, path);
    return value !== undefined && value !== null;
  });
  return new Set(given.map(({ path }) => path.join('.')));
}

function valueAt(merged: unknown, path: string[]): unknown {
  return path.reduce<unknown>((inner, key) => (isRecord(inner) ? inner[key] : undefined), merged);
}

/**
 * Moves what a file sets by a former name; a setting without a value counts as missing where the other name has one. Returns the former
 * names by setting. Reports the settings that the file sets by both names.
 */
function renameFormer(merged: Record<string, unknown>, problems: string[]): Map<string, string | undefined> {
  const renamed = new Map<string, string | undefined>();
  for (const { path, former } of SETTINGS) {
    const value = former && valueAt(merged, former.path);
    if (former === undefined || value === undefined) continue;
    const [name, formerName] = [path.join('.'), former.path.join('.')];
    const current = valueAt(merged, path);
    remove(merged, former.path);
    if (current != null && value !== null)
      problems.push(`${formerName}: former name of ${name}, which is set too: remove it`);
    if (current != null) continue;
    put(merged, path, value);
    renamed.set(name, formerName);
  }
  return renamed;
}

function remove(target: Record<string, unknown>, path: string[]): void {
  const inner = valueAt(target, path.slice(0, -1));
  if (isRecord(inner)) delete inner[path.at(-1) ?? ''];
}

/** Checks the complete paths, which may be longer than the given ones. */
function socketProblems({ intake, control }: Complete): string[] {
  const problems = [
    ['intake.socket', intake.socket],
    ['control.socket', control.socket],
  ]
    .filter(([, socket = '']) => Buffer.byteLength(socket) > LONGEST_SOCKET_PATH)
    .map(
      ([setting, socket]) =>
        `${setting}: must not be longer than ${LONGEST_SOCKET_PATH} bytes, the limit for a socket path (got ${show(socket)})`,
    );
  if (control.socket === intake.socket)
    problems.push(
      `control.socket: must not be intake.socket, which nginx's workers can use (got ${show(control.socket)})`,
    );
  return problems;
}

/** Defaults that depend on other settings. */
function withDerived(config: Settings): Complete {
  const { kafka, elasticsearch, heat, intake } = config;
  const group = kafka.group ?? groupOf(kafka.topic);
  return {
    ...config,
    kafka: {
      ...kafka,
      group,
      decision_topic: kafka.decision_topic ?? decisionTopicOf(kafka.topic),
      decision_group: `${group}-decisions`,
    },
    elasticsearch: {
      ...elasticsearch,
      decision_data_stream: `${elasticsearch.data_stream}_decisions`,
    },
    // Where the workers get to anyway, and in memory wherever the socket is below /run.
    heat: { ...heat, dir: heat.dir ?? join(dirname(intake.socket), 'hot') },
  };
}

/** Two environments on one cluster have different topics: with a shared group, neither would read all of its own. */
function groupOf(topic: string): string {
  return topic === DEFAULT_TOPIC ? DEFAULT_GROUP : `${DEFAULT_GROUP}-${topic}`;
}

/** Paths of state are relative to `home`, all others to the working directory. */
function withWholePaths(config: Complete): Complete {
  const home = resolve(config.home);
  const { intake, control, spool, spill, heat, catalogue, duckdb, elasticsearch, kafka, admin, webhooks } =
    config;
  return {
    ...config,
    home,
    intake: { ...intake, socket: resolve(home, intake.socket) },
    control: { ...control, socket: resolve(home, control.socket) },
    spool: { ...spool, dir: resolve(home, spool.dir) },
    spill: { ...spill, dir: resolve(home, spill.dir) },
    heat: {
      ...heat,
      dir: resolve(home, heat.dir),
      ...(heat.rules !== undefined && { rules: resolve(heat.rules) }),
    },
    catalogue: catalogue.file === undefined ? catalogue : { ...catalogue, file: resolve(catalogue.file) },
    duckdb: { ...duckdb, path: resolve(home, duckdb.path) },
    webhooks: webhooks.map((one) => ({ ...one, secret_file: resolve(one.secret_file) })),
    admin: {
      ...admin,
      ...(admin.control_token_file !== undefined && {
        control_token_file: resolve(admin.control_token_file),
      }),
    },
    kafka: kafka.ca_file === undefined ? kafka : { ...kafka, ca_file: resolve(kafka.ca_file) },
    elasticsearch:
      elasticsearch.ca_file === undefined
        ? elasticsearch
        : { ...elasticsearch, ca_file: resolve(elasticsearch.ca_file) },
  };
}

function readFile(
  { file: name, named }: ConfigPlace,
  uid: number,
  { problems, files }: { problems: string[]; files: SettingsFile[] },
): Record<string, unknown> {
  if (name === undefined) return {};
  try {
    const { text, ...rights } = named ? readWithRights(name) : readOwn(name, uid);
    const value = parseSettings(text) ?? {};
    if (isRecord(value)) {
      const secret = [...givenIn(value)].some((path) => SECRETS.has(path));
      files.push({ path: resolve(name), secret, ...rights });
      return value;
    }
    // Its content is not logged: it may be the file of a password.
    problems.push(`${name}: must be a mapping of settings`);
  } catch (error) {
    problems.push(`${name}: ${error instanceof Error ? error.message.split('\n')[0] : error}${wayIn(error)}`);
  }
  return {};
}

function wayIn(error: unknown): string {
  return codeOf(error) === 'EACCES'
    ? ' (run this as root or as the user of the service, or set another file with --config)'
    : '';
}

function put(target: Record<string, unknown>, path: string[], value: unknown): void {
  const [first, ...rest] = path;
  if (first === undefined) return;
  if (rest.length === 0) {
    target[first] = value;
    return;
  }
  const inner = target[first];
  const next = isRecord(inner) ? inner : {};
  target[first] = next;
  put(next, rest, value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
