import type { Sources } from '../../store/event-questions.ts';
import { cell, row, rowHeader } from '../cells.ts';
import { el, setText } from '../dom.ts';
import { createRows, type Row, type Rows } from '../rows.ts';
import { count, percent } from '../words.ts';

type Part = { name: string; views: number; total: number; key: string };

/** The parts of a whole, each with its views and its share. */
export function createPartsTable(body: Element): Rows<Part> {
  return createRows<Part>(body, ({ key }) => key, createPartRow);
}

/** `none`: what views without a source are called. */
export function partsOf({ top, rest }: Sources, none: string): Part[] {
  const total = top.reduce((sum, { views }) => sum + views, rest);
  const parts = top.map(({ name, views }) => ({
    name: name === '' ? none : name,
    views,
    total,
    key: `of ${name}`,
  }));
  return rest > 0 ? [...parts, { name: 'others', views: rest, total, key: 'rest' }] : parts;
}

function createPartRow(): Row<Part> {
  const name = el('bdi');
  const views = el('span');
  const share = el('span');
  const element = row(rowHeader('part', name), cell('n', views), cell('n', share));
  return {
    element,
    update(part) {
      setText(name, part.name);
      setText(views, count(part.views));
      setText(share, part.total > 0 ? percent(part.views / part.total) : '–');
    },
  };
}
