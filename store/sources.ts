import type { Sources, SourcesQuery } from './event-questions.ts';

/** Texts that an index looks at for one answer, those with the most views. The others are the rest. */
export const MOST_TEXTS = 2_000;

const HOST = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#]*@)?([^/?#]+)/i;

/** The sources of `texts`, each with its views, of `total` views. The text of a referrer is a URL, of which the host counts. */
export function sourcesOf(
  texts: Iterable<readonly [text: string, views: number]>,
  total: number,
  { by, limit }: SourcesQuery,
): Sources {
  const views = new Map<string, number>();
  for (const [text, more] of texts) {
    const name = by === 'referrer' ? hostOf(text) : text;
    views.set(name, (views.get(name) ?? 0) + more);
  }
  const top = [...views]
    .map(([name, views]) => ({ name, views }))
    .sort((a, b) => b.views - a.views || (a.name < b.name ? -1 : 1))
    .slice(0, limit);
  return { top, rest: top.reduce((left, { views }) => left - views, total) };
}

/** What is no URL with a host stays as it is. */
function hostOf(url: string): string {
  return HOST.exec(url)?.[1]?.toLowerCase() ?? url;
}
