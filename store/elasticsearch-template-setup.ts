import type { Client } from '@elastic/elasticsearch';
import { z } from 'zod';
import { type Change, differences, type SettingChange } from './change.ts';
import { readAnswer } from './elasticsearch-answer.ts';
import { type LackingField, lackingFields, toChanges, withFields } from './elasticsearch-mapping.ts';
import { inIndex, textOf, toTexts } from './elasticsearch-setting.ts';
import {
  indexSettings,
  indexTemplate,
  MANAGED_BY,
  MAPPINGS,
  TEMPLATE_VERSION,
  type TemplateOptions,
} from './elasticsearch-template.ts';
import { SetupRefused } from './setup-refused.ts';

export type Step = Change & { apply: () => Promise<unknown> };

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
const templates = z.object({
  index_templates: z.array(z.object({ name: z.string(), index_template: templateBody })),
});
const simulation = z.object({
  template: z.object({ mappings: z.looseObject({ properties: record.optional() }).optional() }),
  overlapping: z.array(z.object({ name: z.string() })),
});

type Template = z.output<typeof templateBody>;
type Named = { name: string; index_template: Template };

/** What Elasticsearch calls a template that is only simulated. */
const SIMULATED = 'simulate_index_template_';
/** What Elasticsearch adds to a template by itself and takes from nobody. */
const OWN_FIELD = /_date(?:_millis)?$/;
const SHOWN_FIELDS = 5;

/**
 * Makes our template, or completes it: what somebody added to it stays. Throws a `SetupRefused` where the one by that name
 * is not ours, and where another one applies to the data stream and does not fit.
 */
export async function planTemplate(client: Client, options: TemplateOptions): Promise<Step> {
  const { dataStream: name } = options;
  const answer = await client.indices.getIndexTemplate();
  const all = readAnswer(templates, answer, 'the index templates').index_templates;
  const found = all.find((template) => template.name === name)?.index_template;
  if (found !== undefined) refuseForeign(name, found);
  const { name: _, ...ours } = indexTemplate(options);
  const wanted = found === undefined ? ours : completed(found, options);
  const other = await winner(client, { all, name, wanted, isThere: found?.priority === wanted.priority });
  if (other !== undefined) return accepted(name, other, wanted.priority ?? 0);
  const what = `index template ${name}`;
  const apply = () => request(client, { method: 'PUT', path: `/_index_template/${name}`, body: wanted });
  if (found === undefined) return { what, action: 'create', apply };
  const settings = changesOf(found, options);
  if (settings.length === 0) return { what, action: 'unchanged', apply };
  return { what, action: 'update', settings, apply };
}

function refuseForeign(name: string, { _meta }: Template): void {
  if (_meta?.managed_by !== MANAGED_BY) {
    throw new SetupRefused(
      `the index template ${name} was not made by hotitem: delete it, or choose another elasticsearch.data_stream`,
    );
  }
  if (Number(_meta.version) > TEMPLATE_VERSION) {
    throw new SetupRefused(
      `the index template ${name} has version ${_meta.version}, this hotitem knows ${TEMPLATE_VERSION}: run the newer one`,
    );
  }
}

/** Our template as it is, with the fields that it lacks and the settings that were asked for. */
function completed(found: Template, options: TemplateOptions) {
  const { template = {}, ...rest } = found;
  const { settings, mappings, lifecycle } = template;
  const { retentionDays, priority = found.priority } = options;
  return {
    ...Object.fromEntries(Object.entries(rest).filter(([key]) => !OWN_FIELD.test(key))),
    priority,
    version: TEMPLATE_VERSION,
    _meta: { ...found._meta, managed_by: MANAGED_BY, version: TEMPLATE_VERSION },
    template: {
      ...template,
      settings: { ...settings, index: { ...settings?.index, ...indexSettings(options) } },
      mappings: { ...mappings, properties: withFields(mappings?.properties, MAPPINGS.properties) },
      lifecycle:
        retentionDays === undefined ? lifecycle : { ...lifecycle, data_retention: `${retentionDays}d` },
    },
  };
}

function changesOf(found: Template, options: TemplateOptions): SettingChange[] {
  const { settings, mappings, lifecycle } = found.template ?? {};
  const wanted = {
    priority: options.priority,
    ...inIndex(indexSettings(options)),
    version: TEMPLATE_VERSION,
  };
  const there = {
    priority: found.priority,
    ...inIndex(settings?.index ?? {}),
    version: found._meta?.version,
  };
  const { retentionDays } = options;
  return [
    ...differences(toTexts(there), toTexts(wanted)),
    ...differences(
      { 'lifecycle.data_retention': textOf(lifecycle?.data_retention) },
      { 'lifecycle.data_retention': retentionDays === undefined ? undefined : `${retentionDays}d` },
    ),
    ...toChanges(lackingFields(mappings?.properties, MAPPINGS.properties)),
  ];
}

/** The template that would apply in place of ours, and what of our mapping its indices would lack; undefined where ours does. */
async function winner(
  client: Client,
  asked: { all: Named[]; name: string; wanted: { priority?: number | undefined }; isThere: boolean },
): Promise<(Named & { lacking: LackingField[] }) | undefined> {
  const { all, name, wanted, isThere } = asked;
  // Elasticsearch refuses to simulate one beside its equal.
  const body = isThere ? undefined : wanted;
  const answer = await request(client, {
    method: 'POST',
    path: `/_index_template/_simulate_index/${name}`,
    ...(body !== undefined && { body }),
  });
  const { template, overlapping } = readAnswer(simulation, answer, 'the template that applies');
  const isOurs = (other: string) => (isThere ? other === name : other.startsWith(SIMULATED));
  if (!overlapping.some((other) => isOurs(other.name))) return undefined;
  const [first] = all
    .filter(
      (other) => other.name !== name && other.index_template.index_patterns.some((one) => covers(one, name)),
    )
    .sort((a, b) => b.index_template.priority - a.index_template.priority);
  if (first === undefined)
    throw new SetupRefused(`another index template than that of hotitem applies to ${name}`);
  return { ...first, lacking: lackingFields(template.mappings?.properties, MAPPINGS.properties) };
}

/** Somebody may well keep the template in a place of his own, as long as it does for us. */
function accepted(name: string, other: Named & { lacking: LackingField[] }, priority: number): Step {
  const { index_template: body, lacking } = other;
  const described = `the index template ${other.name} (priority ${body.priority}, for ${body.index_patterns.join(', ')})`;
  const problem =
    body.data_stream === undefined
      ? 'makes no data stream'
      : `has ${lacking
          .slice(0, SHOWN_FIELDS)
          .map(({ path, from }) => `${path}: ${from}`)
          .join(', ')}`;
  if (body.data_stream === undefined || lacking.length > 0) {
    throw new SetupRefused(
      `${described} applies to ${name} before that of hotitem (priority ${priority}), and ${problem}: ` +
        `set elasticsearch.template_priority above ${body.priority}, take ${name} out of its patterns before a data stream uses it, ` +
        'or choose another elasticsearch.data_stream',
    );
  }
  return {
    what: `index template ${name}`,
    action: 'unchanged',
    note: `${described} applies, and has every field`,
    apply: async () => {},
  };
}

function request(client: Client, params: { method: string; path: string; body?: object }): Promise<unknown> {
  return client.transport.request<unknown>(params);
}

/** Whether an index pattern, in which only `*` means more than itself, is for this name. */
function covers(pattern: string, name: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(name);
}
