import type { ItemAnswer } from '../../sidecar/routes/answers.ts';
import { cell, row, rowHeader } from '../cells.ts';
import { byId, el, setText } from '../dom.ts';
import { createRows, type Row } from '../rows.ts';
import { count, timeOfDay } from '../words.ts';

type Numbers = { from: number; people: number; all: number; now: number };

/** The numbers of the chart, those that are not 0, made when somebody opens them. */
export function createNumbersTable(): { set(answer: ItemAnswer): void } {
  const details = byId('numbers') as HTMLDetailsElement;
  const rows = createRows<Numbers>(byId('numbers-rows'), ({ from }) => String(from), createNumbersRow);
  let latest: ItemAnswer | undefined;
  details.addEventListener('toggle', render);
  return {
    set(answer) {
      latest = answer;
      render();
    },
  };

  function render(): void {
    if (details.open && latest !== undefined) rows.set(numbersOf(latest));
  }
}

function numbersOf({ from, stepMs, line, now }: ItemAnswer): Numbers[] {
  return line.all
    .map((all, i) => ({ from: from + i * stepMs, all, people: line.people[i] ?? 0, now }))
    .filter(({ all }) => all > 0)
    .reverse();
}

function createNumbersRow(): Row<Numbers> {
  const time = el('time');
  const [people, all] = [el('span'), el('span')];
  const element = row(rowHeader('', time), cell('n', people), cell('n', all));
  return {
    element,
    update({ from, people: byPeople, all: byAll, now }) {
      time.dateTime = new Date(from).toISOString();
      setText(time, timeOfDay(from, now));
      setText(people, count(byPeople));
      setText(all, count(byAll));
    },
  };
}
