import { addressOf, VIEWS, type ViewName } from './address.ts';
import { bannerOf } from './banner.ts';
import { createControl } from './control/control.ts';
import { byId, setAttribute, setText } from './dom.ts';
import { createHealthView } from './health/health-view.ts';
import { createHotView } from './hot/hot-view.ts';
import { createItemView } from './item/item-view.ts';
import { createItemsView } from './items/items-view.ts';
import { type LiveView, openLiveStream, STALE_MS } from './live-stream.ts';
import { createRisingView } from './rising/rising-view.ts';
import type { View } from './view.ts';
import { count, duration, timeOfDay } from './words.ts';

/*
 * The live page. Each view has an address of its own. What is live comes from one stream, the rest is asked of the index while its view is
 * looked at. Rows and cells are changed, not made again.
 */

const LOOK_MS = 500;

const views: Record<ViewName, View> = {
  hot: createHotView(),
  rising: createRisingView(),
  items: createItemsView(),
  item: createItemView(),
  health: createHealthView(),
};
const control = createControl();
const hold = byId('hold');
let address = addressOf(location.hash);
/** Of the files that this page is made of: what the sidecar says first. */
let build: string | undefined;
let live: LiveView = { toldAt: performance.now(), link: 'connecting' };
/** Since when the page is visible. What it missed while it was hidden arrives in a moment. */
let visibleAt = performance.now();
/** What is shown while the page is held. */
let held: LiveView | undefined;

hold.addEventListener('click', () => {
  held = held === undefined ? live : undefined;
  for (const view of Object.values(views)) view.hold(held !== undefined);
  render();
});
document.querySelector('.skip')?.addEventListener('click', (event) => {
  // Its hash would be the address of a view.
  event.preventDefault();
  byId('main').focus();
});
addEventListener('hashchange', () => {
  route();
  byId(`h-${address.view}`).focus();
});
openLiveStream('/api/v1/live', (next) => {
  live = next;
  build ??= next.state?.head.build;
  control.update(next);
  if (held === undefined) render();
});
document.addEventListener('visibilitychange', () => {
  visibleAt = performance.now();
  renderPulse();
});
setInterval(renderPulse, LOOK_MS);
route();
render();

function route(): void {
  const before = address.view;
  address = addressOf(location.hash);
  for (const name of VIEWS) {
    byId(`v-${name}`).hidden = name !== address.view;
    const link = document.getElementById(`to-${name}`);
    if (link !== null) setAttribute(link, 'aria-current', name === address.view ? 'page' : undefined);
  }
  if (before !== address.view) views[before].hide();
  views[address.view].show(address);
  renderPulse();
}

function render(): void {
  const isStale = isStaleNow();
  for (const view of Object.values(views)) view.update({ live: held ?? live, isStale });
  renderPulse();
}

/** Whether what is shown is not known to be so any more. */
function isStaleNow(): boolean {
  if (live.state === undefined || document.hidden) return false;
  return live.link !== 'live' || performance.now() - Math.max(live.toldAt, visibleAt) > STALE_MS;
}

/** Whether nobody looks, and so nothing is told: a hidden tab has no stream of its own. */
function isPaused(): boolean {
  return document.hidden && performance.now() - live.toldAt > STALE_MS;
}

function renderPulse(): void {
  const stale = isStaleNow();
  const isNews = stale && held === undefined && !document.body.classList.contains('stale');
  document.body.classList.toggle('stale', stale);
  if (isNews) for (const view of Object.values(views)) view.update({ live, isStale: true });
  document.body.classList.toggle('held', held !== undefined);
  setAttribute(hold, 'aria-pressed', String(held !== undefined));
  const shown = (held ?? live).state;
  const number = shown?.items.length ?? 0;
  setText(byId('n-hot'), number === 0 ? '' : count(number));
  setText(byId('node'), shown?.head.node ?? '');
  setText(byId('fresh'), freshness(stale));
  setText(
    byId('banner'),
    bannerOf(shown?.head, { isStale: stale, isLoggedOut: live.link === 'login', build }),
  );
  byId('banner').hidden = byId('banner').textContent === '';
  document.title = titleOf(stale, number);
}

function freshness(stale: boolean): string {
  if (held?.state !== undefined) return `Held at ${timeOfDay(held.state.head.now, Date.now())}`;
  if (isPaused()) return 'Paused';
  if (live.link === 'off') return 'Hot items are not looked for';
  if (stale) return `Stale for ${duration(performance.now() - live.toldAt)}`;
  return { live: 'Live', connecting: 'Connecting…', lost: 'No answer', login: 'Not logged in' }[live.link];
}

/** How it is with what is hot, and which view it is. */
function titleOf(stale: boolean, number: number): string {
  const title = views[address.view].title();
  if (stale) return address.view === 'hot' ? 'Stale – hotitem' : `Stale: ${title} – hotitem`;
  if (isPaused()) return 'Paused – hotitem';
  if (number === 0) return `${title} – hotitem`;
  return address.view === 'hot'
    ? `${count(number)} hot – hotitem`
    : `${count(number)} hot: ${title} – hotitem`;
}
