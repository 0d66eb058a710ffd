/*
 * The address of a view: `#/items?window=1h`. It holds all that a reader has chosen, so that it can be sent.
 */

export const VIEWS = ['hot', 'rising', 'items', 'item', 'health'] as const;
export type ViewName = (typeof VIEWS)[number];

export type Address = {
  view: ViewName;
  /** Of the view `item`; empty otherwise. */
  item: string;
  choices: URLSearchParams;
};

/** The address that a `location.hash` names; *Hot now* where it names none. */
export function addressOf(hash: string): Address {
  const [path = '', query = ''] = split(hash.replace(/^#\/?/, ''), '?');
  const [name = '', item = ''] = split(path, '/');
  const view = VIEWS.find((known) => known === name) ?? 'hot';
  const choices = new URLSearchParams(query);
  if (view !== 'item') return { view, item: '', choices };
  const asked = decoded(item);
  return asked === '' ? { view: 'hot', item: '', choices } : { view, item: asked, choices };
}

export function hashOf({ view, item, choices }: Address): string {
  const path = view === 'item' ? `${view}/${encodeURIComponent(item)}` : view;
  const query = choices.toString();
  return query === '' ? `#/${path}` : `#/${path}?${query}`;
}

/** The address of an item, for its links. Half a surrogate pair has no percent-encoding. */
export function hashOfItem(item: string): string {
  return hashOf({ view: 'item', item: item.replace(/\p{Cs}/gu, '\ufffd'), choices: new URLSearchParams() });
}

/** One of `known`: the chosen one, else the first. */
export function chosen<Choice extends string>(
  choices: URLSearchParams,
  name: string,
  known: readonly [Choice, ...Choice[]],
): Choice {
  const asked = choices.get(name);
  return known.find((choice) => choice === asked) ?? known[0];
}

function split(text: string, at: string): [string, string] {
  const place = text.indexOf(at);
  return place === -1 ? [text, ''] : [text.slice(0, place), text.slice(place + 1)];
}

/** As it is where somebody wrote a percent sign by hand. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
