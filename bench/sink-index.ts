import { setTimeout as sleep } from 'node:timers/promises';

export type Run = {
  documents: number;
  /** Of these, how many came behind the warm-up. */
  measured: number;
  /** Documents that became searchable per second, of those measured. */
  rate: number;
};

export type WatchOptions = {
  node: string;
  /** Empty at first. */
  index: string;
  expected: number;
  /** How many documents are not measured: what brings them compiles its code meanwhile. */
  warmUp?: number;
  /** Called when these are in. */
  onWarm?: () => void;
};

/** Each look costs Elasticsearch 5 ms of CPU. */
const LOOK_EVERY_MS = 200;
/** Without a new document for this long nothing more comes. */
const QUIET_MS = 20_000;

/** Waits until `expected` documents are in the index, or none comes any more, and measures how fast they came and became searchable. */
export async function watchIndex(options: WatchOptions): Promise<Run> {
  const { node, index, expected, warmUp = 1, onWarm = () => {} } = options;
  let seen = 0;
  let warm = { at: 0, documents: 0 };
  let last = performance.now();
  while (seen < expected && performance.now() - last < QUIET_MS) {
    await sleep(LOOK_EVERY_MS);
    const now = await indexed(node, index);
    if (now === seen) continue;
    last = performance.now();
    seen = now;
    if (warm.at !== 0 || seen < warmUp) continue;
    warm = { at: last, documents: seen };
    onWarm();
  }
  const documents = await searchable(node, index);
  const ended = seen < expected ? last : performance.now();
  const measured = documents - warm.documents;
  return { documents, measured, rate: (measured * 1000) / (ended - warm.at) };
}

/** Documents created since the index was made, whether they can be searched already or not: cheap to ask. */
export async function indexed(node: string, index: string): Promise<number> {
  const reply = await fetch(
    `${node}/${index}/_stats/indexing?filter_path=_all.primaries.indexing.index_total`,
  );
  if (!reply.ok) return 0;
  const stats = (await reply.json()) as { _all?: { primaries?: { indexing?: { index_total?: number } } } };
  return stats._all?.primaries?.indexing?.index_total ?? 0;
}

/** Documents that a search finds, now. */
export async function searchable(node: string, index: string): Promise<number> {
  await fetch(`${node}/${index}/_refresh`, { method: 'POST' });
  const reply = await fetch(`${node}/${index}/_count`);
  return reply.ok ? ((await reply.json()) as { count: number }).count : 0;
}

export type Survey = {
  /** Of the expected ids. */
  missing: number;
  /** Documents beyond the first of their id. */
  twice: number;
};

/** Compares the ids of all documents with the expected ones. Reads from a point in time, which merging segments cannot change. */
export async function survey(
  node: string,
  index: string,
  expected: Iterable<string>,
  pageSize = 10_000,
): Promise<Survey> {
  await ask(node, 'POST', `/${index}/_refresh`);
  const { id } = await ask<{ id: string }>(node, 'POST', `/${index}/_pit?keep_alive=5m`);
  const missing = new Set(expected);
  const seen = new Set<string>();
  let twice = 0;
  try {
    for await (const eventId of eventIds(node, id, pageSize)) {
      missing.delete(eventId);
      if (seen.has(eventId)) twice++;
      seen.add(eventId);
    }
  } finally {
    await ask(node, 'DELETE', '/_pit', { id });
  }
  return { missing: missing.size, twice };
}

type Page = { hits: { hits: { fields: { 'event.id': string[] }; sort: unknown[] }[] } };

async function* eventIds(node: string, pit: string, pageSize: number): AsyncGenerator<string> {
  let after: unknown[] | undefined;
  for (;;) {
    const { hits } = await ask<Page>(node, 'POST', '/_search', {
      size: pageSize,
      pit: { id: pit, keep_alive: '5m' },
      _source: false,
      track_total_hits: false,
      docvalue_fields: ['event.id'],
      sort: ['_shard_doc'],
      ...(after && { search_after: after }),
    });
    for (const { fields } of hits.hits) yield fields['event.id'][0] ?? '';
    after = hits.hits.at(-1)?.sort;
    if (after === undefined) return;
  }
}

async function ask<Reply>(node: string, method: string, path: string, body?: object): Promise<Reply> {
  const reply = await fetch(`${node}${path}`, {
    method,
    ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  if (!reply.ok) throw new Error(`${method} ${path}: ${reply.status} ${(await reply.text()).slice(0, 300)}`);
  return (await reply.json()) as Reply;
}
