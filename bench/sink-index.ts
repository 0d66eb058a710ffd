import { setTimeout as sleep } from 'node:timers/promises';

export type Run = {
  documents: number;
  /** From the first document to the last that was taken, and then searchable. */
  seconds: number;
};

/** Each look costs Elasticsearch 5 ms of CPU. */
const LOOK_EVERY_MS = 200;
/** Without a new document for this long nothing more comes. */
const QUIET_MS = 20_000;

/** Waits until `expected` documents are in an index that was empty, or none comes any more, and measures how fast they came. */
export async function watchIndex(node: string, index: string, expected: number): Promise<Run> {
  let seen = 0;
  let first = { at: 0, documents: 0 };
  let last = performance.now();
  while (seen < expected && performance.now() - last < QUIET_MS) {
    await sleep(LOOK_EVERY_MS);
    const now = await indexed(node, index);
    if (now === seen) continue;
    last = performance.now();
    if (seen === 0) first = { at: last, documents: now };
    seen = now;
  }
  const found = await searchable(node, index);
  const ended = seen < expected ? last : performance.now();
  return { documents: found, seconds: ((ended - first.at) / 1000) * (found / (found - first.documents)) };
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

/** How many ids are there more than once. */
export async function duplicates(node: string, index: string): Promise<number> {
  const seen = new Set<string>();
  let twice = 0;
  let after: unknown[] | undefined;
  for (;;) {
    const reply = await fetch(`${node}/${index}/_search`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        size: 10_000,
        _source: false,
        docvalue_fields: ['event.id'],
        sort: ['_doc'],
        ...(after && { search_after: after }),
      }),
    });
    const { hits } = (await reply.json()) as {
      hits: { hits: { fields: { 'event.id': string[] }; sort: unknown[] }[] };
    };
    if (hits.hits.length === 0) return twice;
    for (const { fields } of hits.hits) {
      const id = fields['event.id'][0] ?? '';
      if (seen.has(id)) twice++;
      seen.add(id);
    }
    after = hits.hits.at(-1)?.sort;
  }
}
