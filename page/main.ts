import { createControl } from './control/control.ts';
import { byId, setAttribute, setText } from './dom.ts';
import { createHotView } from './hot/hot-view.ts';
import { createItemsView } from './items/items-view.ts';
import { type LiveView, openLiveStream, STALE_MS } from './live-stream.ts';
import { count, duration, timeOfDay } from './words.ts';

/*
 * The live page. Each view has an address of its own, and what they show comes from one stream. Rows and cells are changed, not made again.
 */

const VIEWS = ['hot', 'items'] as const;
const TITLES = { hot: 'Hot now', items: 'All items' };
const LOOK_MS = 500;

const hot = createHotView();
const items = createItemsView();
const control = createControl();
const hold = byId('hold');
let view: LiveView = { toldAt: performance.now(), link: 'connecting' };
/** Since when it is looked at: what was missed before that will come in a moment. */
let visibleAt = performance.now();
/** What is shown while the page is held. */
let held: LiveView | undefined;

hold.addEventListener('click', () => {
  held = held === undefined ? view : undefined;
  render();
});
addEventListener('hashchange', () => {
  route();
  byId(`h-${current()}`).focus();
});
openLiveStream('/api/v1/live', (next) => {
  view = next;
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

function current(): (typeof VIEWS)[number] {
  return VIEWS.find((name) => location.hash === `#/${name}`) ?? 'hot';
}

function route(): void {
  const shown = current();
  for (const name of VIEWS) {
    byId(`v-${name}`).hidden = name !== shown;
    setAttribute(byId(`to-${name}`), 'aria-current', name === shown ? 'page' : undefined);
  }
  items.show(shown === 'items');
  renderPulse();
}

function render(): void {
  hot.update(held ?? view, isStale());
  renderPulse();
}

/** Whether what is shown is not known to be so any more. */
function isStale(): boolean {
  if (view.state === undefined || document.hidden) return false;
  return view.link !== 'live' || performance.now() - Math.max(view.toldAt, visibleAt) > STALE_MS;
}

/** Whether nobody looks, and so nothing is told: a hidden tab has no stream of its own. */
function isPaused(): boolean {
  return document.hidden && performance.now() - view.toldAt > STALE_MS;
}

function renderPulse(): void {
  const stale = isStale();
  if (stale && held === undefined && !document.body.classList.contains('stale')) hot.update(view, stale);
  document.body.classList.toggle('stale', stale);
  document.body.classList.toggle('held', held !== undefined);
  setAttribute(hold, 'aria-pressed', String(held !== undefined));
  const shown = (held ?? view).state;
  const number = shown?.items.length ?? 0;
  setText(byId('n-hot'), number === 0 ? '' : count(number));
  setText(byId('node'), shown?.head.node ?? '');
  setText(byId('fresh'), freshness(stale));
  setText(byId('banner'), bannerOf(stale));
  byId('banner').hidden = byId('banner').textContent === '';
  document.title = titleOf(stale, number);
}

function freshness(stale: boolean): string {
  if (held?.state !== undefined) return `Held at ${timeOfDay(held.state.head.now, Date.now())}`;
  if (isPaused()) return 'Paused';
  if (view.link === 'off') return 'Hot items are not looked for';
  if (stale) return `Stale for ${duration(performance.now() - view.toldAt)}`;
  return { live: 'Live', connecting: 'Connecting…', lost: 'No answer' }[view.link];
}

function bannerOf(stale: boolean): string {
  const head = (held ?? view).state?.head;
  if (head === undefined) return '';
  if (stale)
    return `Stale since ${timeOfDay(head.now, Date.now())}: the sidecar does not answer. What is shown was so then. This page asks again by itself.`;
  const problems: string[] = [];
  if (head.frozen !== undefined) {
    const { by, since, reason } = head.frozen;
    problems.push(
      `Frozen by ${by} since ${timeOfDay(since, head.now)}: ${reason || 'no reason given'}. nginx acts on no hot item.`,
    );
  }
  if (head.failure !== undefined) problems.push(`nginx does not see hot items: ${head.failure}.`);
  if (head.held > 0)
    problems.push(
      `${count(head.held)} more would be hot and are held back: the cap is ${count(head.cap)} for each signal.`,
    );
  if (head.rulesProblems > 0)
    problems.push(
      'The file of rules cannot be used: the rules before it stay in force. hotitem status says why.',
    );
  return problems.join(' ');
}

function titleOf(stale: boolean, number: number): string {
  const what = stale
    ? 'Stale'
    : isPaused()
      ? 'Paused'
      : number > 0
        ? `${count(number)} hot`
        : TITLES[current()];
  return `${what} – hotitem`;
}
