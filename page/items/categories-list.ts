import type { CategoriesAnswer } from '../../sidecar/routes/answers.ts';
import { hashOf } from '../address.ts';
import { createAsking } from '../asking.ts';
import { cell, row, rowHeader } from '../cells.ts';
import { byId, el, setAttribute, setText } from '../dom.ts';
import { createCalmRows, type Row } from '../rows.ts';
import { count, notUpToDate, percent, timeOfDay, visitorsOf } from '../words.ts';

/** The categories that are viewed most, in the place of the items. */
export type CategoriesList = {
  ask(window: string, rank: string): void;
  stop(): void;
  hold(isHeld: boolean): void;
  /** What to say above it, and whether something is wrong. */
  words(): [text: string, isWrong: boolean];
};

export type CategoriesListOptions = {
  everyMs: () => number;
  /** What to say is another thing. */
  onChange: () => void;
};

type Category = CategoriesAnswer['categories'][number];

const MOST = 200;

export function createCategoriesList({ everyMs, onChange }: CategoriesListOptions): CategoriesList {
  let answer: CategoriesAnswer | undefined;
  let failure: string | undefined;
  const rows = createCalmRows<Category>(byId('category-rows'), ({ category }) => category, makeRow);
  const asking = createAsking<CategoriesAnswer>({
    everyMs,
    onAnswer(next) {
      answer = next;
      failure = undefined;
      show();
    },
    onFailure(reason) {
      failure = reason;
      onChange();
    },
  });
  return { ask, stop: asking.stop, hold: asking.hold, words };

  function ask(window: string, rank: string): void {
    const path = `/api/v1/categories?window=${window}&rank=${rank}&limit=${MOST}`;
    if (asking.ask(path)) answer = undefined;
    failure = undefined;
    show();
  }

  function show(): void {
    rows.set(answer?.categories ?? []);
    onChange();
  }

  function words(): [string, boolean] {
    if (failure !== undefined) return [notUpToDate(failure, answer?.to), true];
    if (answer === undefined) return [asking.waiting(), false];
    const { categories, to } = answer;
    const as = `As of ${timeOfDay(to, Date.now())}: `;
    if (categories.length === 0) return [`${as}no views in this time.`, false];
    if (categories.every(({ category }) => category === ''))
      return [`${as}no view has a category: there is no catalogue, or it has none.`, false];
    return [
      `${as}${categories.length === 1 ? '1 category' : `${count(categories.length)} categories`}`,
      false,
    ];
  }

  function makeRow({ category }: Category): Row<Category> {
    const name = el('bdi', {}, category === '' ? 'no category' : category);
    const link = category === '' ? name : el('a', { class: 'name' }, name);
    const [views, part, visitors, all] = [cell('n'), cell('n'), cell('n'), cell('n')];
    return {
      element: row(rowHeader('part', link), views, part, visitors, all),
      update(one) {
        // Its items, over the same time.
        const choices = new URLSearchParams({ category, window: answer?.window ?? '5m' });
        if (category !== '') setAttribute(link, 'href', hashOf({ view: 'items', item: '', choices }));
        const ranked = answer?.rank === 'all' ? one.all : one.views;
        setText(views, count(one.views));
        setText(part, percent(ranked / Math.max(1, answer?.total ?? 0)));
        setText(visitors, visitorsOf(one));
        setText(all, count(one.all));
      },
    };
  }
}
