import * as z from 'zod';
import { yesOrNo } from './setting-types.ts';
import { settings } from './settings.ts';

/** A leaf of the schema, with its name in each source. */
export type Setting = {
  path: string[];
  env: string;
  flag: string;
  kind: 'text' | 'number' | 'list';
  /** The values that it may have, if these are few. */
  choices: string[];
  secret: boolean;
  fallback: unknown;
  about: string;
  /** Its earlier name in each source, which is still accepted. */
  former?: SettingName;
};

type SettingName = Pick<Setting, 'path' | 'env' | 'flag'>;

const ALIASES: Record<string, string> = {
  KAFKA_BROKERS: 'kafka.brokers',
  ELASTICSEARCH_NODE: 'elasticsearch.node',
};
const FORMER_NAMES: Record<string, string> = {
  'spool.shedding': 'spool.ladder',
  'spool.shedding_from': 'spool.ladder_from',
};
/** Paths of secrets: no flag accepts them and no message shows them. */
export const SECRETS: ReadonlySet<string> = new Set([
  'elasticsearch.api_key',
  'elasticsearch.password',
  'kafka.sasl.password',
  'privacy.ip_salt',
]);

export const SETTINGS: Setting[] = leaves(settings, []);

/** `spool`, `kafka`: the top-level keys of a file. */
export const SECTIONS: string[] = Object.keys(settings.shape);

/** The setting that an environment variable sets. */
export function settingOf(variable: string): Setting | undefined {
  const alias = ALIASES[variable];
  return SETTINGS.find(
    ({ env, former, path }) => env === variable || former?.env === variable || path.join('.') === alias,
  );
}

function leaves(schema: z.ZodType, path: string[]): Setting[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodObject) {
    return Object.entries(inner.shape).flatMap(([key, value]) => leaves(value as z.ZodType, [...path, key]));
  }
  // A list of sections: only a file can have it.
  if (inner instanceof z.ZodArray && inner.element instanceof z.ZodObject) return [];
  const former = FORMER_NAMES[path.join('.')];
  return [
    {
      ...nameOf(path),
      ...(former !== undefined && { former: nameOf(former.split('.')) }),
      kind: inner instanceof z.ZodNumber ? 'number' : inner instanceof z.ZodArray ? 'list' : 'text',
      choices: choicesOf(inner),
      secret: SECRETS.has(path.join('.')),
      fallback: schema instanceof z.ZodDefault ? schema.def.defaultValue : undefined,
      about: schema.description ?? '',
    },
  ];
}

function nameOf(path: string[]): SettingName {
  const words = path.join('_');
  return { path, env: `HOTITEM_${words.toUpperCase()}`, flag: words.replaceAll('_', '-') };
}

function choicesOf(schema: z.ZodType): string[] {
  if (schema === yesOrNo) return ['true', 'false'];
  return schema instanceof z.ZodEnum ? schema.options.map(String) : [];
}

function unwrap(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional) {
    return unwrap(schema.unwrap() as z.ZodType);
  }
  return schema;
}
