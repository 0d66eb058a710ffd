import type { Moment } from './clock.ts';
import type { Items } from './items.ts';
import { LEARN_SECONDS, type Signals } from './signals.ts';
import { BY_PEOPLE, FIVE_TICKS, VIEWS } from './windows.ts';

/** The numbers of an item that the page shows. `people`: views without known bots. */
export type ItemFigures = {
  item: string;
  ten: { all: number; people: number; visitors: number };
  minute: { all: number; people: number };
  /** Views of the last five minutes, one count per 5 s, oldest first; the last is still growing. */
  series: { all: number[]; people: number[] };
};

export type Figures = {
  /** Number of the 5 s interval with which each series ends. */
  five: number;
  /** Seconds until the baselines are old enough for a surge. */
  learning: number;
  /** The requested items, if they are tracked. */
  wanted: ItemFigures[];
  /** Of the other items, the one with the most views by people in ten seconds. */
  busiest?: ItemFigures;
};

type Parts = { moment: Moment; items: Items; signals: Signals };

/** Scans all tracked items. */
export function figuresOf(names: ReadonlySet<string>, parts: Parts): Figures {
  const { moment, items } = parts;
  const { windows, tracked } = items;
  const wanted: ItemFigures[] = [];
  let busiest = -1;
  let most = 0;
  for (let i = 0; i < tracked.count(); i++) {
    const place = tracked.at(i);
    items.settle(place);
    if (names.has(items.nameOf(place))) {
      wanted.push(figuresAt(place, parts));
      continue;
    }
    const people = windows.ten(place, BY_PEOPLE);
    if (people <= most) continue;
    most = people;
    busiest = place;
  }
  return {
    five: Math.floor(moment.tick / FIVE_TICKS),
    learning: Math.max(0, LEARN_SECONDS - moment.second),
    wanted,
    ...(busiest !== -1 && { busiest: figuresAt(busiest, parts) }),
  };
}

function figuresAt(place: number, { items, signals }: Parts): ItemFigures {
  const { windows } = items;
  return {
    item: items.nameOf(place),
    ten: {
      all: windows.ten(place, VIEWS),
      people: windows.ten(place, BY_PEOPLE),
      visitors: signals.visitorsOfTen(place),
    },
    minute: { all: windows.minute(place, VIEWS), people: windows.minute(place, BY_PEOPLE) },
    series: { all: windows.series(place, VIEWS), people: windows.series(place, BY_PEOPLE) },
  };
}
