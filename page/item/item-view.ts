import type { CatalogueItem } from '../../event/catalogue-item.ts';
import type { LiveItem, LiveSnapshot } from '../../heat/live.ts';
import type { ItemAnswer } from '../../sidecar/routes/answers.ts';
import type { HotPeriod } from '../../store/event-questions.ts';
import { type Address, chosen } from '../address.ts';
import { createAsking } from '../asking.ts';
import { metaOf } from '../cells.ts';
import { choose } from '../choose.ts';
import { byId, setAttribute, setLead, setLines, setText } from '../dom.ts';
import { doesOf } from '../hot/does-text.ts';
import { createRows } from '../rows.ts';
import { signsOf } from '../signals.ts';
import type { Moment, View } from '../view.ts';
import { count, duration, notUpToDate, perSecond, timeOfDay, visitorsOf } from '../words.ts';
import type { Chart } from './chart.ts';
import { endsOf } from './dead-ends.ts';
import { createNumbersTable } from './numbers-table.ts';
import { createPeriodRow, keyOfPeriod } from './period-row.ts';
import { createPartsTable, partsOf } from './sources-table.ts';

/*
 * The view `#/item/ID`: one item, from the index; and while it is hot, from the live page. `?window=` and `?to=` (ms since 1970) say which
 * time: with `to` it is one of the past, and stays.
 */

const WINDOWS = ['1h', '15m', '24h', '7d', '31d'] as const;
const EVERY_MS: Record<(typeof WINDOWS)[number], number> = {
  '15m': 5_000,
  '1h': 5_000,
  '24h': 30_000,
  '7d': 60_000,
  '31d': 60_000,
};

export function createItemView(): View {
  const span = byId('item-window') as HTMLSelectElement;
  const periods = createRows(byId('periods'), keyOfPeriod, createPeriodRow);
  const referrers = createPartsTable(byId('referrers'));
  const hosts = createPartsTable(byId('hosts'));
  const utmSources = createPartsTable(byId('utm-sources'));
  const kinds = createPartsTable(byId('kinds'));
  const numbers = createNumbersTable();
  const asking = createAsking<ItemAnswer>({
    everyMs: () => EVERY_MS[chosen(address.choices, 'window', WINDOWS)],
    onAnswer,
    onFailure,
  });
  let address: Address = { view: 'item', item: '', choices: new URLSearchParams() };
  /** The answer to the current question. */
  let answer: ItemAnswer | undefined;
  /** What the catalogue says about the item: it is the same in each window. */
  let catalogue: CatalogueItem | undefined;
  let isListed: boolean | undefined;
  let failure: string | undefined;
  let state: LiveSnapshot | undefined;
  let isStale = false;
  let isShown = false;
  let chart: Promise<Chart> | undefined;
  /** The periods that are drawn as lasting. */
  let drawnLasting = '';
  span.addEventListener('change', () => {
    choose(address, 'window', span.value, WINDOWS[0]);
    show(address);
  });
  return { show, hide, hold, title: nameOf, update };

  function hide(): void {
    isShown = false;
    asking.stop();
  }

  function show(next: Address): void {
    isShown = true;
    if (next.item !== address.item) catalogue = isListed = undefined;
    address = next;
    failure = undefined;
    const button = byId('item-control');
    setAttribute(button, 'data-control', next.item);
    setAttribute(button, 'aria-label', `Control… ${next.item}`);
    span.value = chosen(next.choices, 'window', WINDOWS);
    const to = next.choices.get('to');
    const until = to === null ? '' : `&to=${encodeURIComponent(to)}`;
    setText(byId('item-in'), inThe());
    const path = `/api/v1/item?item=${encodeURIComponent(next.item)}&window=${span.value}${until}`;
    if (asking.ask(path)) answer = undefined;
    render();
  }

  function hold(isHeld: boolean): void {
    asking.hold(isHeld);
    if (isShown) render();
  }

  function update(moment: Moment): void {
    state = moment.live.state;
    isStale = moment.isStale;
    if (isShown) renderLive();
  }

  function onAnswer(next: ItemAnswer): void {
    if (next.item !== address.item) return;
    answer = next;
    catalogue = next.catalogue;
    isListed = next.isListed;
    failure = undefined;
    render();
  }

  function onFailure(reason: string): void {
    failure = reason;
    render();
  }

  function nameOf(): string {
    return catalogue?.name ?? address.item;
  }

  function hotItem(): LiveItem | undefined {
    return state?.items.find(({ item }) => item === address.item);
  }

  function render(): void {
    setText(byId('item-name'), nameOf());
    setText(
      byId('item-meta'),
      isListed === false ? 'not in the catalogue' : metaOf(address.item, catalogue ?? {}),
    );
    setLead(byId('item-lead'), leadOf(), failure !== undefined);
    byId('item-found').hidden = answer === undefined;
    renderLive();
    if (answer === undefined) return;
    setFigures(answer, inWindow());
    void draw(answer);
    numbers.set(answer);
    referrers.set(partsOf(answer.referrers, 'no referrer'));
    hosts.set(partsOf(answer.hosts, 'no host'));
    byId('item-links').hidden = answer.utmSources.top.every(({ name }) => name === '');
    utmSources.set(partsOf(answer.utmSources, 'no utm_source'));
    kinds.set(partsOf({ top: kindsOf(answer), rest: 0 }, ''));
  }

  /** What the live page knows of it. */
  function renderLive(): void {
    const hot = hotItem();
    byId('item-says').hidden = hot === undefined;
    if (hot !== undefined && state !== undefined) {
      const { decisions, ten } = hot;
      setText(byId('item-signals'), signsOf(decisions));
      setLines(
        byId('item-why'),
        decisions.map(({ reason }) => reason),
      );
      setLines(byId('item-does'), doesOf(hot, state.head));
      setText(byId('item-ends'), endsOf(hot.ends, state.head.now));
      const when = isStale ? `at ${timeOfDay(state.head.now, Date.now())}` : 'now';
      setText(
        byId('item-now'),
        `${perSecond(ten.people, 10)}/s by people, ${perSecond(ten.all, 10)}/s in all, over 10 s; ${count(ten.visitors)} visitors in 10 s; ${when}`,
      );
    }
    const now = answer?.now ?? 0;
    const shown = (answer?.periods ?? []).map((period) => ({ period, lasts: lasts(period), now }));
    byId('item-periods').hidden = shown.length === 0;
    byId('item-no-periods').hidden = shown.length > 0;
    periods.set(shown);
    const lasting = shown
      .filter((one) => one.lasts)
      .map(keyOfPeriod)
      .join();
    if (lasting === drawnLasting) return;
    drawnLasting = lasting;
    if (answer !== undefined) void draw(answer);
  }

  function lasts(period: HotPeriod): boolean {
    const decisions = hotItem()?.decisions ?? [];
    return decisions.some(({ signal, since }) => signal === period.signal && since === period.since);
  }

  async function draw(drawn: ItemAnswer): Promise<void> {
    const host = byId('chart');
    const { from, stepMs, now, line } = drawn;
    const whole = wholeIntervals(drawn);
    const complete = { people: line.people.slice(0, whole), all: line.all.slice(0, whole) };
    setAttribute(host, 'aria-label', labelOf(drawn));
    // Where the end was not recorded, only the beginning is known.
    const periods = drawn.periods.map((period) => ({
      since: period.since,
      until: period.until ?? (lasts(period) ? now : period.since),
    }));
    try {
      chart ??= import('./chart.ts').then(({ createChart }) => createChart(host));
      const ready = await chart;
      if (answer === drawn) ready.draw({ from, stepMs, line: complete, periods });
    } catch {
      chart = undefined;
      setText(byId('chart-step'), 'The chart cannot be loaded now. Its numbers are below.');
    }
  }

  function labelOf({ line, stepMs }: ItemAnswer): string {
    const most = Math.max(0, ...line.all);
    return `Views of ${nameOf()} ${inWindow()}: at most ${count(most)} in ${duration(stepMs)}. The numbers are in the table below.`;
  }

  function leadOf(): string {
    if (failure !== undefined) return notUpToDate(failure, answer?.now);
    if (answer === undefined) return asking.waiting();
    if (answer.views === undefined) return `No view of it from ${rangeOf(answer)}.`;
    return address.choices.has('to')
      ? `From ${rangeOf(answer)}`
      : `As of ${timeOfDay(answer.now, Date.now())}`;
  }

  function inWindow(): string {
    return `${inThe()} ${span.selectedOptions[0]?.text ?? ''}`;
  }

  function inThe(): string {
    return address.choices.has('to') ? 'in the' : 'in the last';
  }
}

/** The last interval still grows, and would look like a fall. */
function wholeIntervals({ from, stepMs, now, line }: ItemAnswer): number {
  return Math.max(0, Math.min(line.all.length, Math.floor((now - from) / stepMs)));
}

function rangeOf({ from, to, now }: ItemAnswer): string {
  return `${timeOfDay(from, now)} to ${timeOfDay(Math.min(to, Math.max(now, from)), now)}`;
}

function setFigures({ views, stepMs }: ItemAnswer, inWindow: string): void {
  setText(byId('item-views'), count(views?.views ?? 0));
  setText(byId('item-all'), count(views?.all ?? 0));
  setText(byId('item-visitors'), visitorsOf(views ?? { visitors: 0 }));
  setText(byId('item-bots'), count(views?.bots ?? 0));
  for (const place of ['item-views-in', 'item-all-in', 'item-visitors-in', 'item-bots-in'])
    setText(byId(place), inWindow);
  setText(byId('item-last'), views === undefined ? '–' : timeOfDay(views.last, Date.now()));
  setText(byId('chart-step'), `Views in each ${duration(stepMs)}:`);
}

function kindsOf({ views }: ItemAnswer): { name: string; views: number }[] {
  if (views === undefined) return [];
  return [
    { name: 'views by people', views: views.views },
    { name: 'views by bots', views: views.bots },
    { name: 'fetched ahead', views: views.prefetches },
    { name: 'parts, headers, other methods', views: views.others },
  ];
}
