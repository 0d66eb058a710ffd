import type { ItemsAnswer } from '../../sidecar/routes/answers.ts';
import { type Address, chosen } from '../address.ts';
import { createAsking } from '../asking.ts';
import { choose } from '../choose.ts';
import { byId, el, setAttribute, setChildren, setLead, setText } from '../dom.ts';
import { inOrderOf } from '../in-order-of.ts';
import type { Row } from '../rows.ts';
import { signsOf } from '../signals.ts';
import type { Moment, View } from '../view.ts';
import { count, notUpToDate, timeOfDay } from '../words.ts';
import { createCategoriesList } from './categories-list.ts';
import {
  compareBy,
  type Entry,
  folded,
  matches,
  type Order,
  SORTS,
  type Sort,
  toEntry,
} from './items-order.ts';
import { createItemsRow } from './items-row.ts';
import { sortInSlices } from './sort-in-slices.ts';
import { createWindowList, type Placed } from './window-list.ts';

/*
 * The view `#/items`: up to ten thousand items, as the index counted them. All that is chosen is in the address.
 */

const WINDOWS = ['5m', '1m', '10m', '1h', '24h', '7d', '31d'] as const;
const RANKS = ['people', 'all'] as const;
const LISTS = ['item', 'category'] as const;
const MOST_ITEMS = 10_000;
/** So often a window is asked for again: what is counted over a month does not change in seconds. */
const EVERY_MS: Record<(typeof WINDOWS)[number], number> = {
  '1m': 2_000,
  '5m': 2_000,
  '10m': 2_000,
  '1h': 5_000,
  '24h': 30_000,
  '7d': 60_000,
  '31d': 60_000,
};
/** So many items are a megabyte. */
const MANY = 1_000;
const MANY_EVERY_MS = 10_000;

export function createItemsView(): View {
  const by = byId('by') as HTMLSelectElement;
  const span = byId('window') as HTMLSelectElement;
  const rank = byId('rank') as HTMLSelectElement;
  const category = byId('category') as HTMLSelectElement;
  const search = byId('find') as HTMLInputElement;
  const heads = SORTS.map((sort) => ({ sort, head: byId(`sort-${sort}`) }));
  const list = createWindowList<Entry>({
    scroller: byId('items-scroll'),
    table: byId('items-table'),
    body: byId('items'),
    keyOf,
    makeRow,
  });
  const asking = createAsking<ItemsAnswer>({ everyMs, onAnswer, onFailure });
  const ranked = createCategoriesList({ everyMs: () => everyMs(undefined), onChange: say });
  let address: Address = { view: 'items', item: '', choices: new URLSearchParams() };
  /** Of what is asked for now. */
  let answer: ItemsAnswer | undefined;
  let failure: string | undefined;
  let entries: Entry[] = [];
  let shown: Entry[] = [];
  let hot = new Map<string, string>();
  /** Of the latest sort: an earlier one is given up. */
  let sorts = 0;
  /** The reader wants an order that is not there yet. */
  let isReordered = false;
  /** The categories of the latest answer, whatever its window. */
  let categories: ReadonlySet<string> = new Set();
  let isShown = false;
  by.addEventListener('change', () => choice('by', by.value, LISTS[0]));
  span.addEventListener('change', () => choice('window', span.value, WINDOWS[0]));
  rank.addEventListener('change', () => choice('rank', rank.value, RANKS[0]));
  category.addEventListener('change', () => choice('category', category.value, ''));
  search.addEventListener('input', () => choice('find', search.value, ''));
  for (const { sort, head } of heads)
    head.querySelector('button')?.addEventListener('click', () => sortBy(sort));
  return { show, hide, hold, title: () => 'All items', update };

  function hide(): void {
    isShown = false;
    asking.stop();
    ranked.stop();
  }

  function show(next: Address): void {
    isShown = true;
    address = next;
    span.value = chosen(next.choices, 'window', WINDOWS);
    rank.value = chosen(next.choices, 'rank', RANKS);
    search.value = next.choices.get('find') ?? '';
    by.value = chosen(next.choices, 'by', LISTS);
    const ofCategories = by.value === 'category';
    byId('categories').hidden = !ofCategories;
    for (const id of ['items-scroll', 'of-find']) byId(id).hidden = ofCategories;
    setCategories();
    if (ofCategories) {
      asking.stop();
      ranked.ask(span.value, rank.value);
      return;
    }
    ranked.stop();
    const path = `/api/v1/items?window=${span.value}&rank=${rank.value}&limit=${MOST_ITEMS}`;
    if (asking.ask(path)) {
      answer = undefined;
      failure = undefined;
      entries = [];
      shown = [];
    }
    void arrange(true);
  }

  function hold(isHeld: boolean): void {
    asking.hold(isHeld);
    ranked.hold(isHeld);
    if (isShown) say();
  }

  function choice(name: string, value: string, fallback: string): void {
    choose(address, name, value, fallback);
    list.toTop();
    if (name === 'window' || name === 'rank' || name === 'by') show(address);
    else void arrange(true);
  }

  function sortBy(sort: Sort): void {
    const before = orderOf();
    // Names from A on, numbers from the largest on; then the other way round.
    const isDown = before.sort === sort ? !before.isDown : sort !== 'item';
    choose(address, 'sort', `${isDown ? '-' : ''}${sort}`, `-${rank.value === 'all' ? 'all' : 'views'}`);
    list.toTop();
    void arrange(true);
  }

  function orderOf(): Order {
    const asked = address.choices.get('sort') ?? `-${rank.value === 'all' ? 'all' : 'views'}`;
    const name = asked.replace(/^-/, '');
    return { sort: SORTS.find((known) => known === name) ?? 'views', isDown: asked.startsWith('-') };
  }

  function everyMs(last: ItemsAnswer | undefined): number {
    const many = (last?.items.length ?? 0) > MANY ? MANY_EVERY_MS : 0;
    return Math.max(many, EVERY_MS[chosen(address.choices, 'window', WINDOWS)]);
  }

  function onAnswer(next: ItemsAnswer): void {
    answer = next;
    failure = undefined;
    entries = next.items.map(toEntry);
    categories = new Set(entries.flatMap(({ views }) => views.catalogue?.category ?? []));
    setCategories();
    void arrange(false);
  }

  function onFailure(reason: string): void {
    failure = reason;
    say();
  }

  function update({ live }: Moment): void {
    hot = new Map((live.state?.items ?? []).map(({ item, decisions }) => [item, signsOf(decisions)]));
    if (isShown) list.refresh();
  }

  /** `isAsked`: the reader wants another order. Otherwise a row that the reader points at does not move away. */
  async function arrange(isAsked: boolean): Promise<void> {
    const mine = ++sorts;
    isReordered ||= isAsked || shown.length === 0;
    const order = orderOf();
    for (const { sort, head } of heads) {
      const direction = order.isDown ? 'descending' : 'ascending';
      setAttribute(head, 'aria-sort', sort === order.sort ? direction : undefined);
    }
    const find = folded(search.value.trim());
    const wanted = entries.filter((entry) => matches(entry, find, category.value));
    const isLatest = () => mine === sorts;
    const next =
      !isReordered && list.isPointedAt()
        ? inOrderOf(shown, wanted, keyOf)
        : await sortInSlices(wanted, compareBy(order), isLatest);
    if (next === undefined || !isLatest()) return;
    isReordered = false;
    shown = next;
    list.set(shown);
    say();
  }

  function makeRow(): Row<Placed<Entry>> {
    const { element, update } = createItemsRow();
    return {
      element,
      update({ one: { views }, place }) {
        update({ views, place: place + 1, hot: hot.get(views.item) ?? '', to: answer?.to ?? 0 });
      },
    };
  }

  function setCategories(): void {
    const known = new Set(categories);
    const asked = address.choices.get('category') ?? '';
    if (asked !== '') known.add(asked);
    byId('of-category').hidden = known.size === 0 || by.value === 'category';
    const names = ['', ...[...known].sort()];
    setChildren(
      category,
      names.map((name, i) => {
        const option = category.children[i] ?? el('option');
        setAttribute(option, 'value', name);
        setText(option, name === '' ? 'all' : name);
        return option;
      }),
    );
    if (category.value !== asked) category.value = asked;
  }

  function say(): void {
    const [text, isWrong] = by.value === 'category' ? ranked.words() : [words(), failure !== undefined];
    setLead(byId('state'), text, isWrong);
  }

  function words(): string {
    if (failure !== undefined) return notUpToDate(failure, answer?.to);
    if (answer === undefined) return asking.waiting();
    if (entries.length === 0)
      return answer.rank === 'people'
        ? 'Nobody viewed an item in this time.'
        : 'No item was asked for in this time.';
    const isCut = entries.length === MOST_ITEMS;
    const of = `${count(entries.length)} ${isCut ? 'most viewed items' : 'items'}`;
    const found =
      shown.length < entries.length
        ? `${count(shown.length)} of the ${of} ${shown.length === 1 ? 'matches' : 'match'}`
        : `${isCut ? 'the ' : ''}${entries.length === 1 ? '1 item' : of}`;
    return `As of ${timeOfDay(answer.to, Date.now())}: ${found}`;
  }
}

function keyOf({ views }: Entry): string {
  return views.item;
}
