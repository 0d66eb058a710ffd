import type { LiveSnapshot } from '../../heat/live.ts';
import { byId, el, setChildren, setText } from '../dom.ts';
import { ranked } from '../live-state.ts';
import type { LiveView } from '../live-stream.ts';
import { createRows } from '../rows.ts';
import type { Moment, View } from '../view.ts';
import { count, duration, percent, perSecond, timeOfDay } from '../words.ts';
import { happenedText } from './happened-text.ts';
import { createHotRow, type ShownHot } from './hot-row.ts';
import { createOrder } from './order.ts';

const SHOWN_HAPPENED = 10;

/** The view `#/hot`. */
export function createHotView(): View {
  const rows = createRows<ShownHot>(
    byId('hot-rows'),
    ({ item }) => item.item,
    ({ item }) => createHotRow(item.item),
  );
  const order = createOrder();
  const table = byId('hot-table');
  return { show() {}, hide() {}, hold() {}, title: () => 'Hot now', update };

  function update({ live: { state, link }, isStale }: Moment): void {
    byId('hot-list').hidden = state === undefined || state.items.length === 0;
    byId('hot-calm').hidden = state !== undefined && state.items.length > 0;
    byId('hot-figures').hidden = state === undefined;
    byId('hot-happened').hidden = state === undefined || state.happened.length === 0;
    if (state === undefined) {
      tellNothing(link);
      return;
    }
    setText(byId('hot-lead'), leadOf(state, isStale));
    setFigures(state, isStale);
    setRows(state);
    setHappened(state);
    if (state.items.length > 0) return;
    setText(byId('hot-calm-title'), isStale ? 'Nothing was hot.' : 'Nothing is hot now, and that is fine.');
    setText(byId('hot-calm-text'), isStale ? calmThen(state) : calmNow(state));
  }

  function setRows(state: LiveSnapshot): void {
    const { head } = state;
    const now = head.now;
    const items = order.arrange(state.items, now, table.matches(':hover, :focus-within'));
    rows.set(
      items.map((item, i) => ({ item, head, place: i + 1, moved: order.moved(item.item, i + 1, now) })),
    );
  }
}

function tellNothing(link: LiveView['link']): void {
  setText(byId('hot-lead'), '');
  const [title, text] = {
    connecting: ['Connecting…', ''],
    live: ['Connecting…', ''],
    lost: [
      'The sidecar does not answer.',
      'This page asks again every few seconds. The shop runs as without it.',
    ],
    login: ['Your login has ended.', 'Reload this page.'],
    off: [
      'Hot items are not looked for.',
      'heat.enabled is false in the configuration of this sidecar. All items shows what is viewed most.',
    ],
  }[link];
  setText(byId('hot-calm-title'), title ?? '');
  setText(byId('hot-calm-text'), text ?? '');
}

function leadOf({ items, head }: LiveSnapshot, isStale: boolean): string {
  const [most] = ranked(items);
  if (most === undefined) return '';
  const at = timeOfDay(head.now, head.now);
  const name = most.catalogue?.name ?? most.item;
  const rate = `${perSecond(most.ten.people, 10)}/s by people over 10 s`;
  const is = isStale ? 'was hot' : 'is hot';
  const are = isStale ? 'were hot' : 'are hot';
  const then = isStale ? ` at ${at}` : '';
  const text =
    items.length === 1
      ? `1 item ${is}${then}: ${name}, with ${rate}.`
      : `${count(items.length)} items ${are}${then}. Of these, ${name} ${isStale ? 'had' : 'has'} the most views: ${rate}.`;
  return isStale ? `${text} What is hot now is not known.` : text;
}

function setFigures({ items, head }: LiveSnapshot, isStale: boolean): void {
  const { shop, cap, held } = head;
  const hot = items.reduce((sum, { ten }) => sum + ten.all, 0);
  setText(byId('figure-people'), perSecond(shop.people, 10));
  setText(byId('figure-all'), perSecond(shop.all, 10));
  setText(byId('figure-share'), shop.all === 0 ? '–' : percent(Math.min(1, hot / shop.all)));
  setText(byId('figure-hot'), count(items.length));
  setText(byId('figure-when'), isStale ? 'then' : 'now');
  setText(byId('figure-held'), count(held));
  setText(byId('figure-cap'), `by the cap of ${count(cap)} items for each signal`);
}

function calmNow({ head }: LiveSnapshot): string {
  const { shop, busiest, learning } = head;
  const gets = `The shop gets ${perSecond(shop.people, 10)} views/s by people over 10 s.`;
  const most =
    busiest === undefined
      ? 'No item was viewed in the last 10 s.'
      : `The busiest item, ${busiest.catalogue?.name ?? busiest.item}, gets ${perSecond(busiest.people, 10)}/s from ${count(busiest.visitors)} visitors.`;
  const soon =
    learning === undefined
      ? ''
      : ` Surges can be detected in ${duration(learning * 1_000)}, when it is known what is usual.`;
  return `${gets} ${most}${soon} While you look at it, this page changes by itself when an item turns hot; its title then says so.`;
}

function calmThen({ head: { now, shop, busiest } }: LiveSnapshot): string {
  const got = `At ${timeOfDay(now, Date.now())} the shop got ${perSecond(shop.people, 10)} views/s by people over 10 s.`;
  const most =
    busiest === undefined
      ? ''
      : ` The busiest item, ${busiest.catalogue?.name ?? busiest.item}, got ${perSecond(busiest.people, 10)}/s.`;
  return `${got}${most} Whether anything is hot now is not known.`;
}

function setHappened({ happened, head }: LiveSnapshot): void {
  const list = byId('happened');
  const lines = happened.slice(-SHOWN_HAPPENED).reverse();
  const children = lines.map((one, i) => {
    const line = list.children[i] ?? el('li', {}, el('time'), el('span'));
    const [time, text] = line.children;
    if (time !== undefined) setText(time, timeOfDay(one.at, head.now));
    if (text !== undefined) setText(text, happenedText(one));
    return line;
  });
  setChildren(list, children);
}
