import type { EcsDocument } from '../parts/ecs-document.ts';
import { until } from '../parts/until.ts';
import type { ExpectedView } from './views.ts';

export type Document = EcsDocument;

type Wanted = { dataStream: string; count: number; detail: () => string | Promise<string> };

const ARRIVAL_MS = 60_000;
/** What one search returns at most. */
const MOST = 10_000;

/** All documents of a data stream, once there are `count` of them at least. */
export async function documentsOf(node: string, { dataStream, count, detail }: Wanted): Promise<Document[]> {
  if (count > MOST) throw new Error(`${count} documents are more than one search returns`);
  const arrived = async () => {
    if ((await countOf(node, dataStream)) < count) return undefined;
    const documents = await search(node, dataStream);
    return documents.length >= count ? documents : undefined;
  };
  const found = async () => `${await countOf(node, dataStream)} documents\n${await detail()}`;
  return until(arrived, { timeoutMs: ARRIVAL_MS, everyMs: 250, what: `${count} documents`, detail: found });
}

/** How many documents can be found; 0 where there is no such data stream yet. */
export async function countOf(node: string, dataStream: string): Promise<number> {
  const reply = await fetch(`${node}/${dataStream}/_count?ignore_unavailable=true`);
  return reply.ok ? ((await reply.json()) as { count: number }).count : 0;
}

async function search(node: string, dataStream: string): Promise<Document[]> {
  const reply = await fetch(`${node}/${dataStream}/_search?size=${MOST}&ignore_unavailable=true`);
  // Not all shards are there yet, in the first moments of a data stream.
  if (!reply.ok) return [];
  const { hits } = (await reply.json()) as { hits: { hits: { _source: Document }[] } };
  return hits.hits.map(({ _source }) => _source);
}

/** The part of each document that its view determines, in the order of the views. The views came from this machine. */
export function viewsIn(documents: Document[]): object[] {
  return documents
    .map(({ url, client, hot_item }) => ({
      uri: url.path,
      args: url.query ?? '',
      item: hot_item.id,
      ip: client.ip,
    }))
    .toSorted(byQuery);
}

/** The same of views that were asked for. */
export function viewsOf(expected: ExpectedView[]): object[] {
  return expected.map(({ uri, args, item }) => ({ uri, args, item, ip: '127.0.0.1' })).toSorted(byQuery);
}

function byQuery(a: { args: string }, b: { args: string }): number {
  return Number(a.args.slice(2)) - Number(b.args.slice(2));
}
