import type { HotItemEvent } from '../../event/event.ts';
import type { Kind } from '../../event/kind.ts';
import { toOperation } from '../../store/elasticsearch/document.ts';

/** An event as a document of the Elastic Common Schema, with our own fields under `hot_item`. */
export type EcsDocument = {
  '@timestamp': string;
  event: { id: string; dataset: 'hotitem.view'; created: string };
  url: { original: string; path: string; query?: string; domain?: string };
  http?: { request: { method?: string; referrer?: string } };
  client: { address?: string; ip?: string };
  source?: { ip: string };
  user_agent?: { original: string };
  host?: { name: string };
  hot_item: {
    id: string;
    weight: number;
    visitor?: string;
    visitor_number?: number;
    kind?: Kind;
    bot?: true;
    cut?: string[];
  };
};

/** The document that a sink creates for an event. */
export function documentOf(event: HotItemEvent): EcsDocument {
  const [, document = ''] = toOperation(event).split('\n');
  return JSON.parse(document);
}
