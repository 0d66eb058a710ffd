import type { ItemsAnswer } from '../../sidecar/routes/answers.ts';
import { cell, createItemName, labelled, row, rowHeader } from '../cells.ts';
import { el, setText } from '../dom.ts';
import type { Row } from '../rows.ts';
import { count, timeOfDay, visitorsOf } from '../words.ts';

export type ListedItem = {
  views: ItemsAnswer['items'][number];
  place: number;
  /** Signs and words of its signals, while it is hot. */
  hot: string;
  /** When that was counted. */
  to: number;
};

/** The counts of an item, each a column. */
export const COUNTS = ['views', 'visitors', 'bots', 'prefetches', 'others', 'all'] as const;
const LABELS = {
  views: 'people',
  visitors: 'visitors',
  bots: 'bots',
  prefetches: 'prefetched',
  others: 'other',
  all: 'all',
};

export function createItemsRow(): Row<ListedItem> {
  const place = cell('n c-place');
  const hot = el('span', { class: 'line hot' });
  const name = createItemName(hot);
  const counts = COUNTS.map((column) => {
    const number = el(column === 'views' ? 'b' : 'span');
    return { column, number, cell: labelled(`n c-${column}`, LABELS[column], number) };
  });
  const last = cell('n c-last');
  const element = row(place, rowHeader('col-item', name.element), ...counts.map((one) => one.cell), last);
  return {
    element,
    update({ views, place: nth, hot: signals, to }) {
      setText(place, count(nth));
      name.update(views.item, views.catalogue);
      setText(hot, signals);
      for (const { column, number } of counts)
        setText(number, column === 'visitors' ? visitorsOf(views) : count(views[column]));
      setText(last, timeOfDay(views.last, to));
    },
  };
}
