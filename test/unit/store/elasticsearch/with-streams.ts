import { indexTemplate } from '../../../../store/elasticsearch/template.ts';
import type { Answer, Asked } from './stand-in.ts';

// The distribution that tests can have lacks the API of data streams. Its answers here are those of the documentation.
export const NAME = 'hot_item';
const MISSING: Answer = { status: 404, body: { error: { type: 'index_not_found_exception' }, status: 404 } };
const { template, ...rest } = indexTemplate({ dataStream: NAME });
const TEMPLATE = { index_templates: [{ name: NAME, index_template: { ...rest, template } }] };

/** An Elasticsearch with the API of data streams: without ours, or with it and this lifecycle. */
export function withStreams({
  exists = false,
  lifecycle,
}: {
  exists?: boolean;
  lifecycle?: object | undefined;
}): (asked: Asked) => Answer {
  const backing = `.ds-${NAME}-2026.11.22-000001`;
  const found: Record<string, unknown> = {
    '/_index_template': TEMPLATE,
    [`/_index_template/_simulate_index/${NAME}`]: { template, overlapping: [] },
    [`/_resolve/index/${NAME}`]: { indices: [], aliases: [], data_streams: [{ name: NAME }] },
    [`/_data_stream/${NAME}`]: { data_streams: [{ name: NAME }] },
    [`/${NAME}/_mapping`]: { [backing]: { mappings: template.mappings } },
    [`/${NAME}/_settings`]: { [backing]: { settings: template.settings } },
    [`/_data_stream/${NAME}/_lifecycle`]: { data_streams: [{ name: NAME, lifecycle }] },
  };
  return ({ method, path }) => {
    if (method === 'PUT') return { status: 200, body: { acknowledged: true } };
    if (exists && path in found) return { status: 200, body: found[path] };
    if (path === '/_index_template') return { status: 200, body: { index_templates: [] } };
    if (path.includes('_simulate_index')) return { status: 200, body: { template: {}, overlapping: [] } };
    return MISSING;
  };
}
