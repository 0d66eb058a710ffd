import { DECISION_FIELD_NAMES, decisionFieldOf, type HotDecision } from '../../event/decision-fields.ts';
import type { DecisionIndex } from '../event-index.ts';
import { createBulk } from './bulk.ts';
import { closeSoon, connectElasticsearch } from './client.ts';
import type { ElasticsearchIndexOptions } from './elasticsearch.ts';
import { mappingOf, type Properties, put } from './mappings.ts';
import type { StreamContent } from './template.ts';

const DATASET = 'event.dataset';

/** The data stream of decisions. */
export const DECISIONS: StreamContent = {
  mappings: { dynamic: false, properties: properties() },
  version: 1,
  description: 'What turned hot and cooled, by hotitem',
};

/** Decisions as documents of a data stream, with the decision's id as `_id`. */
export function createElasticsearchDecisions(options: ElasticsearchIndexOptions): DecisionIndex {
  const client = connectElasticsearch(options);
  return {
    create: createBulk(client, options.dataStream, toDecisionOperation),
    close: () => closeSoon(client),
  };
}

/** The two lines of a bulk request that create a decision's document. */
export function toDecisionOperation(decision: HotDecision): string {
  return `${JSON.stringify({ create: { _id: decision.id } })}\n${JSON.stringify(toDocument(decision))}\n`;
}

function toDocument(decision: HotDecision): Record<string, unknown> {
  const document: Record<string, unknown> = {};
  set(document, DATASET.split('.'), 'hotitem.decision');
  for (const name of DECISION_FIELD_NAMES) {
    const { type, ecs } = decisionFieldOf(name);
    const value = decision[name];
    if (ecs === undefined || value === undefined) continue;
    set(document, ecs.path.split('.'), type === 'time' ? new Date(Number(value)).toISOString() : value);
  }
  return document;
}

function set(into: Record<string, unknown>, [name = '', ...inner]: string[], value: unknown): void {
  if (inner.length === 0) {
    into[name] = value;
    return;
  }
  const there = into[name];
  const next = isRecord(there) ? there : {};
  into[name] = next;
  set(next, inner, value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function properties(): Properties {
  const found: Properties = {};
  put(found, DATASET.split('.'), { type: 'keyword' });
  for (const name of DECISION_FIELD_NAMES) {
    const { ecs } = decisionFieldOf(name);
    if (ecs === undefined) continue;
    put(found, ecs.path.split('.'), mappingOf(ecs));
  }
  return found;
}
