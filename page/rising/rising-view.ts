import type { LiveItem } from '../../heat/live.ts';
import type { RisingAnswer } from '../../sidecar/routes/answers.ts';
import { createAsking } from '../asking.ts';
import { ofItem } from '../cells.ts';
import { byId, setLead, setText } from '../dom.ts';
import { createCalmRows } from '../rows.ts';
import type { Moment, View } from '../view.ts';
import { count, minuteOf, notUpToDate, timeOfDay } from '../words.ts';
import { createRisingRow, type Rising } from './rising-row.ts';

/*
 * The view `#/rising`: visitors of the last ten minutes against the hour before.
 */

const PATH = '/api/v1/rising?limit=50';
const EVERY_MS = 5_000;

export function createRisingView(): View {
  const rows = createCalmRows<Rising>(byId('rising-rows'), ({ rise }) => rise.item, createRisingRow);
  const asking = createAsking<RisingAnswer>({ everyMs: () => EVERY_MS, onAnswer, onFailure });
  let answer: RisingAnswer | undefined;
  let failure: string | undefined;
  let isShown = false;
  let hot = new Map<string, LiveItem>();
  return {
    show() {
      isShown = true;
      asking.ask(PATH);
      render();
    },
    hide() {
      isShown = false;
      asking.stop();
      // It is not asked for any more, and would soon be wrong.
      setText(byId('n-rising'), '');
    },
    hold(isHeld) {
      asking.hold(isHeld);
      if (isShown) render();
    },
    title: () => 'Rising',
    update,
  };

  function update({ live }: Moment): void {
    hot = new Map((live.state?.items ?? []).map((item) => [item.item, item]));
    if (isShown) render();
  }

  function onAnswer(next: RisingAnswer): void {
    answer = next;
    failure = undefined;
    render();
  }

  function onFailure(reason: string): void {
    failure = reason;
    render();
  }

  function render(): void {
    setLead(byId('rising-lead'), leadOf(), failure !== undefined);
    const items = answer?.items ?? [];
    byId('rising-list').hidden = items.length === 0;
    setText(byId('n-rising'), items.length === 0 ? '' : count(items.length));
    if (answer === undefined) return;
    const { to, stepMs, first, lacks } = answer;
    rows.set(
      items.map((rise) => ({
        rise,
        to,
        stepMs,
        hot: hot.get(rise.item),
        isComparable: first === undefined,
        lacks: ofItem(lacks, rise.item),
      })),
    );
  }

  function leadOf(): string {
    if (failure !== undefined) return notUpToDate(failure, answer?.to);
    if (answer === undefined) return asking.waiting();
    const { items, leastVisitors, first, to, windowMs, windowsBefore } = answer;
    const as = `As of ${timeOfDay(to, Date.now())}`;
    const needs = `at least ${count(leastVisitors)} visitors in 10 minutes and twice the hour before`;
    if (items.length === 0) return `${as}: nothing rises, for that takes ${needs}.`;
    const rise = items.length === 1 ? 'item rises' : 'items rise';
    const about =
      first === undefined
        ? 'Small items count too: there is no least share of the shop.'
        : `There is no whole hour to compare with before ${minuteOf(first + windowMs * (windowsBefore + 1))}: the first view is of ${minuteOf(first)}.`;
    return `${as}: ${count(items.length)} ${rise}, with ${needs}. ${about}`;
  }
}
