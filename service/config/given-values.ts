import { resolve } from 'node:path';
import { suggest } from './explain.ts';
import { readWithRights, type SettingsFile } from './read-rights.ts';
import { SETTINGS, type Setting, settingOf } from './setting.ts';

type Texts = Record<string, string | undefined>;

/** `former`: the former name of the setting, if it was given by that. */
type GivenValue = { path: string[]; value: unknown; former: string | undefined };

/** Variables with our prefix that are not settings. */
const OTHER_VARIABLES = new Set([
  'HOTITEM_CONFIG',
  'HOTITEM_NGINX',
  'HOTITEM_NGINX_JS_MODULE',
  'HOTITEM_CACHE',
  'HOTITEM_CHROMIUM',
]);

/** What the environment sets. Reports unknown variables, secrets that cannot be read, and settings that two variables set. */
export function fromEnvironment(env: Texts, problems: string[], files: SettingsFile[]): GivenValue[] {
  const chosen = new Map<Setting, { variable: string; text: string }>();
  for (const [variable, text] of Object.entries(env)) {
    if (text === undefined || text === '') continue;
    const setting = settingOf(variable) ?? secretOf(variable);
    if (setting === undefined) {
      if (variable.startsWith('HOTITEM_') && !isOther(variable)) problems.push(unknown(variable));
      continue;
    }
    const other = chosen.get(setting)?.variable;
    // Other programs may use the common one.
    if (other !== undefined && isCommon(variable)) continue;
    if (other !== undefined && !isCommon(other)) problems.push(twice(setting, [other, variable]));
    chosen.set(setting, { variable, text });
  }
  return [...chosen].flatMap(([setting, { variable, text }]) => {
    try {
      const value = settingOf(variable) === undefined ? secretIn(text, files) : toValue(setting, text);
      return { path: setting.path, value, former: variable === setting.former?.env ? variable : undefined };
    } catch (error) {
      problems.push(`${variable}: cannot be read: ${error instanceof Error ? error.message : error}`);
      return [];
    }
  });
}

/** What flags set. Reports settings that two flags set. */
export function fromFlags(flags: Texts, problems: string[]): GivenValue[] {
  return SETTINGS.flatMap((setting) => {
    const { path, flag, former } = setting;
    const text = flags[flag];
    const formerText = former && flags[former.flag];
    if (text !== undefined && formerText !== undefined)
      problems.push(`--${former?.flag}: former name of --${flag}, which is set too: remove it`);
    if (text !== undefined) return { path, value: toValue(setting, text), former: undefined };
    if (formerText !== undefined)
      return { path, value: toValue(setting, formerText), former: `--${former?.flag}` };
    return [];
  });
}

function twice({ env, former }: Setting, variables: string[]): string {
  return former !== undefined && variables.includes(former.env)
    ? `${former.env}: former name of ${env}, which is set too: remove it`
    : `${variables.sort().join(' and ')}: only one of them may be set`;
}

/** The secret whose file a variable names. */
function secretOf(variable: string): Setting | undefined {
  const setting = variable.endsWith('_FILE') ? settingOf(variable.slice(0, -'_FILE'.length)) : undefined;
  return setting?.secret ? setting : undefined;
}

function secretIn(path: string, files: SettingsFile[]): string {
  const { text, ...rights } = readWithRights(path);
  files.push({ path: resolve(path), secret: true, ...rights });
  return text.trim();
}

/** Without our prefix. */
function isCommon(variable: string): boolean {
  return !variable.startsWith('HOTITEM_');
}

function isOther(variable: string): boolean {
  return OTHER_VARIABLES.has(variable) || variable.startsWith('HOTITEM_TEST_');
}

function unknown(variable: string): string {
  return `${variable}: unknown variable${suggest(
    variable,
    SETTINGS.map((known) => known.env),
  )}`;
}

function toValue({ kind }: Setting, text: string): unknown {
  if (kind === 'list')
    return text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '');
  return kind === 'number' && text.trim() !== '' && !Number.isNaN(Number(text)) ? Number(text) : text;
}
