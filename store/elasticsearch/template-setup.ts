import type { Client } from '@elastic/elasticsearch';
import { type Change, differences, type SettingChange } from '../../service/change.ts';
import { readAnswer } from './answer.ts';
import { lackingFields, toChanges, withFields } from './mapping.ts';
import { inIndex, textOf, toTexts } from './setting.ts';
import { SetupRefused } from './setup-refused.ts';
import { EVENTS, indexSettings, indexTemplate, MANAGED_BY, type TemplateOptions } from './template.ts';
import { otherTemplate, type Template, templates } from './template-rival.ts';

export type Step = Change & { apply: () => Promise<unknown> };

/** What Elasticsearch adds to a template itself and does not accept as input. */
const OWN_FIELD = /_date(?:_millis)?$/;

/**
 * Creates our template, or completes it: additions of others stay. Throws a `SetupRefused` where the one by that name
 * is not ours, and where another one applies to the data stream and does not fit.
 */
export async function planTemplate(client: Client, options: TemplateOptions): Promise<Step> {
  const { dataStream: name, content = EVENTS } = options;
  const answer = await client.indices.getIndexTemplate();
  const all = readAnswer(templates, answer, 'the index templates').index_templates;
  const found = all.find((template) => template.name === name)?.index_template;
  if (found !== undefined) refuseForeign(name, found, content.version);
  const { name: _, ...ours } = indexTemplate(options);
  const wanted = found === undefined ? ours : completed(found, options);
  const what = `index template ${name}`;
  const apply = () =>
    client.transport.request({ method: 'PUT', path: `/_index_template/${name}`, body: wanted });
  const isThere = found?.priority === wanted.priority;
  const note = await otherTemplate(client, {
    all,
    name,
    fields: content.mappings.properties,
    wanted,
    isThere,
  });
  if (note !== undefined) return { what, action: 'unchanged', note, apply };
  if (found === undefined) return { what, action: 'create', apply };
  const settings = changesOf(found, options);
  if (settings.length === 0) return { what, action: 'unchanged', apply };
  return { what, action: 'update', settings, apply };
}

function refuseForeign(name: string, { _meta }: Template, version: number): void {
  if (_meta?.managed_by !== MANAGED_BY) {
    throw new SetupRefused(
      `the index template ${name} was not created by hotitem: delete it, or set another elasticsearch.data_stream`,
    );
  }
  if (Number(_meta.version) > version) {
    throw new SetupRefused(
      `the index template ${name} has version ${_meta.version}, this hotitem supports ${version}: run the newer version`,
    );
  }
}

/** Our existing template, plus the fields that it lacks and the settings that were given. */
function completed(found: Template, options: TemplateOptions) {
  const { template = {}, ...rest } = found;
  const { settings, mappings, lifecycle } = template;
  const { retentionDays, priority = found.priority, content = EVENTS } = options;
  const { version } = content;
  return {
    ...Object.fromEntries(Object.entries(rest).filter(([key]) => !OWN_FIELD.test(key))),
    priority,
    version,
    _meta: { ...found._meta, managed_by: MANAGED_BY, version },
    template: {
      ...template,
      settings: { ...settings, index: { ...settings?.index, ...indexSettings(options) } },
      mappings: { ...mappings, properties: withFields(mappings?.properties, content.mappings.properties) },
      lifecycle:
        retentionDays === undefined ? lifecycle : { ...lifecycle, data_retention: `${retentionDays}d` },
    },
  };
}

function changesOf(found: Template, options: TemplateOptions): SettingChange[] {
  const { settings, mappings, lifecycle } = found.template ?? {};
  const { retentionDays, content = EVENTS } = options;
  const wanted = {
    priority: options.priority,
    ...inIndex(indexSettings(options)),
    version: content.version,
  };
  const there = {
    priority: found.priority,
    ...inIndex(settings?.index ?? {}),
    version: found._meta?.version,
  };
  return [
    ...differences(toTexts(there), toTexts(wanted)),
    ...differences(
      { 'lifecycle.data_retention': textOf(lifecycle?.data_retention) },
      { 'lifecycle.data_retention': retentionDays === undefined ? undefined : `${retentionDays}d` },
    ),
    ...toChanges(lackingFields(mappings?.properties, content.mappings.properties)),
  ];
}
