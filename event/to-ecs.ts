import { isIP } from 'node:net';
import type { HotItemEvent } from './event.ts';
import type { Kind } from './kind.ts';
import { visitorOf } from './visitor.ts';

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
  hot_item: { id: string; weight: number; visitor?: string; kind?: Kind; bot?: true; cut?: string[] };
};

/**
 * `client.address` holds what the event calls its ip; `client.ip` and `source.ip` only where that is an address (a hash is
 * none, and nginx on a unix socket has none). `hot_item.bot` is there only where it is true, and `hot_item.kind` only where the
 * request was no view, so that `not hot_item.bot: true and not hot_item.kind: *` finds views by people in documents of every age.
 * `hot_item.visitor` says who: two texts that differ are two visitors of a day.
 */
export function toEcs(event: HotItemEvent): EcsDocument {
  const time = new Date(event.time).toISOString();
  const asked = event.raw ?? event.uri;
  const document: EcsDocument = {
    '@timestamp': time,
    event: { id: event.id, dataset: 'hotitem.view', created: time },
    url: { original: event.args === undefined ? asked : `${asked}?${event.args}`, path: event.uri },
    client: {},
    hot_item: { id: event.item, weight: event.weight ?? 1 },
  };
  if (event.args !== undefined) document.url.query = event.args;
  if (event.host !== undefined) document.url.domain = event.host;
  if (event.method !== undefined || event.ref !== undefined) document.http = { request: request(event) };
  if (event.ip !== undefined) {
    document.client.address = event.ip;
    if (isIP(event.ip) !== 0) {
      document.client.ip = event.ip;
      document.source = { ip: event.ip };
    }
  }
  if (event.ua !== undefined) document.user_agent = { original: event.ua };
  if (event.node !== undefined) document.host = { name: event.node };
  const visitor = visitorOf(event);
  if (visitor !== undefined) document.hot_item.visitor = visitor;
  if (event.kind !== undefined) document.hot_item.kind = event.kind;
  if (event.bot === true) document.hot_item.bot = true;
  if (event.cut !== undefined) document.hot_item.cut = event.cut;
  return document;
}

function request(event: HotItemEvent): { method?: string; referrer?: string } {
  const asked: { method?: string; referrer?: string } = {};
  if (event.method !== undefined) asked.method = event.method;
  if (event.ref !== undefined) asked.referrer = event.ref;
  return asked;
}
