import * as z from 'zod';

/** The fields of a document that tests read. */
export type IndexedView = {
  id: string;
  /** The query of the view: its name. */
  args: string;
};

const PAGE = 10_000;

const count = z.object({ count: z.number() });
const page = z.object({
  _scroll_id: z.string(),
  hits: z
    .object({
      hits: z
        .array(
          z.object({
            _id: z.string(),
            _source: z.object({ url: z.object({ query: z.string() }) }).partial(),
          }),
        )
        .default([]),
    })
    .prefault({}),
});

/** How many documents can be searched. */
export async function countIndexed(node: string, dataStream: string): Promise<number> {
  const path = `${dataStream}/_count?ignore_unavailable=true`;
  return count.parse(await ask(node, path)).count;
}

/** Every document of a data stream. */
export async function readIndexed(node: string, dataStream: string): Promise<IndexedView[]> {
  await ask(node, `${dataStream}/_refresh`);
  const filter = 'filter_path=_scroll_id,hits.hits._id,hits.hits._source';
  const query = { size: PAGE, sort: ['_doc'], _source: ['url.query'] };
  const views: IndexedView[] = [];
  let reply = page.parse(await ask(node, `${dataStream}/_search?scroll=1m&${filter}`, query));
  while (reply.hits.hits.length > 0) {
    for (const { _id, _source } of reply.hits.hits) views.push({ id: _id, args: _source.url?.query ?? '' });
    reply = page.parse(
      await ask(node, `_search/scroll?${filter}`, { scroll: '1m', scroll_id: reply._scroll_id }),
    );
  }
  return views;
}

async function ask(node: string, path: string, body?: object): Promise<unknown> {
  const options = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
  const reply = await fetch(`${node}/${path}`, body === undefined ? {} : options);
  if (!reply.ok) throw new Error(`Elasticsearch: ${path}: ${reply.status} ${await reply.text()}`);
  return reply.json();
}
