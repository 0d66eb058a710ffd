import type { SOURCES, Sources, SourcesQuery } from './event-questions.ts';

/** Texts that an index looks at for one answer, those with the most views. The others are the rest. */
export const MOST_TEXTS = 2_000;

const HOST = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#]*@)?([^/?#]+)/i;

const UTM_SOURCE = /(?:^|&)utm_source=([^&]*)/;
const LONGEST_UTM_SOURCE = 100;

const NAME_OF: Record<(typeof SOURCES)[number], (text: string) => string> = {
  referrer: hostOf,
  host: (text) => text,
  utm_source: utmSourceOf,
};

/** The sources of `texts`, each with its views, of `total` views. A text is a URL of a referrer, a host, or a query string. */
export function sourcesOf(
  texts: Iterable<readonly [text: string, views: number]>,
  total: number,
  { by, limit }: SourcesQuery,
): Sources {
  const views = new Map<string, number>();
  for (const [text, more] of texts) {
    const name = NAME_OF[by](text);
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

/** Empty for a query string without one. What is no UTF-8 stays as it is. */
function utmSourceOf(args: string): string {
  const value = UTM_SOURCE.exec(args)?.[1]?.replaceAll('+', ' ') ?? '';
  return decoded(value).slice(0, LONGEST_UTM_SOURCE);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
