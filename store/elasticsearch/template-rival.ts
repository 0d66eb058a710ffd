import type { Client } from '@elastic/elasticsearch';
import * as z from 'zod';
import { readAnswer } from './answer.ts';
import { type LackingField, lackingFields } from './mapping.ts';
import type { Properties } from './mappings.ts';
import { SetupRefused } from './setup-refused.ts';

const record = z.record(z.string(), z.unknown());
const templateBody = z.looseObject({
  index_patterns: z.union([z.array(z.string()), z.string().transform((pattern) => [pattern])]),
  priority: z.number().default(0),
  data_stream: record.optional(),
  _meta: record.optional(),
  template: z
    .looseObject({
      settings: z.looseObject({ index: record.optional() }).optional(),
      mappings: z.looseObject({ properties: record.optional() }).optional(),
      lifecycle: record.optional(),
    })
    .optional(),
});
/** All index templates, as Elasticsearch gives them. */
export const templates = z.object({
  index_templates: z.array(z.object({ name: z.string(), index_template: templateBody })),
});
const simulation = z.object({
  template: z.object({ mappings: z.looseObject({ properties: record.optional() }).optional() }),
  overlapping: z.array(z.object({ name: z.string() })),
});

export type Template = z.output<typeof templateBody>;
export type NamedTemplate = { name: string; index_template: Template };

/** What Elasticsearch calls a template that is only simulated. */
const SIMULATED = 'simulate_index_template_';
const SHOWN_FIELDS = 5;
export type Question = {
  /** The data stream. */
  name: string;
  /** Every template that there is. */
  all: NamedTemplate[];
  /** What it must have. */
  fields: Properties;
  /** Ours, as it will be. */
  wanted: { priority?: number | undefined };
  /** Whether one of the same priority is there already. */
  isThere: boolean;
};

/**
 * Undefined where our template will apply. Where another one does that has every field, what to tell people about it:
 * an operator may manage the template elsewhere. Throws a `SetupRefused` where another one does not fit.
 */
export async function otherTemplate(client: Client, question: Question): Promise<string | undefined> {
  const { all, name, fields, wanted, isThere } = question;
  const { priority = 0 } = wanted;
  refuseEqual(name, all, priority);
  const { template, overlapping } = await simulate(client, question);
  const isOurs = (other: string) => (isThere ? other === name : other.startsWith(SIMULATED));
  if (!overlapping.some((other) => isOurs(other.name))) return undefined;
  const [first] = othersFor(name, all).sort((a, b) => b.index_template.priority - a.index_template.priority);
  if (first === undefined)
    throw new SetupRefused(`an index template other than hotitem's applies to ${name}`);
  const lacking = lackingFields(template.mappings?.properties, fields);
  const { data_stream } = first.index_template;
  if (data_stream !== undefined && lacking.length === 0)
    return `${describe(first)} applies, and has every field`;
  const problem = data_stream === undefined ? 'creates no data stream' : `has ${textOf(lacking)}`;
  throw new SetupRefused(
    `${describe(first)} overrides that of hotitem (priority ${priority}) for ${name}, and ${problem}: ` +
      `set elasticsearch.template_priority above ${first.index_template.priority}, ` +
      `exclude ${name} from its patterns before a data stream uses it, or set another elasticsearch.data_stream`,
  );
}

/** Elasticsearch takes no two templates of the same priority for one name. */
function refuseEqual(name: string, all: NamedTemplate[], priority: number): void {
  const equal = othersFor(name, all).find(({ index_template: body }) => body.priority === priority);
  if (equal === undefined) return;
  throw new SetupRefused(
    `${describe(equal)} also matches ${name}, with the same priority as that of hotitem: set another elasticsearch.template_priority, ` +
      `exclude ${name} from its patterns, or set another elasticsearch.data_stream`,
  );
}

async function simulate(client: Client, { name, wanted, isThere }: Question) {
  const answer = await client.transport.request({
    method: 'POST',
    path: `/_index_template/_simulate_index/${name}`,
    // Elasticsearch rejects the simulation of two templates with equal priority.
    ...(!isThere && { body: wanted }),
  });
  return readAnswer(simulation, answer, 'the template that applies');
}

function textOf(lacking: LackingField[]): string {
  const shown = lacking.slice(0, SHOWN_FIELDS).map(({ path, from }) => `${path}: ${from}`);
  const more = lacking.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}

function othersFor(name: string, all: NamedTemplate[]): NamedTemplate[] {
  return all.filter(
    (other) => other.name !== name && other.index_template.index_patterns.some((one) => covers(one, name)),
  );
}

function describe({ name, index_template: { priority, index_patterns } }: NamedTemplate): string {
  return `the index template ${name} (priority ${priority}, for ${index_patterns.join(', ')})`;
}

/** Whether an index pattern, in which only `*` means more than itself, is for this name. */
function covers(pattern: string, name: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(name);
}
