import { type Counted, type Kql, type Rows, type Terms, TIME_FIELD } from './panel.ts';

const BY_PEOPLE: Kql = 'not hot_item.kind: * and not hot_item.bot: true';
const BY_BOTS: Kql = 'not hot_item.kind: * and hot_item.bot: true';
const PREFETCHES: Kql = 'hot_item.kind: "prefetch"';
/** Without the test views of `hotitem doctor`. */
const OTHERS: Kql = 'hot_item.kind: * and not hot_item.kind: ("prefetch" or "test")';
const NO_TEST: Kql = 'not hot_item.kind: "test"';

// A sum of weights, never a count of documents: while capture samples, one document represents several views.
const WEIGHT = { field: 'hot_item.weight', of: 'sum' } as const;
export const VIEWS: Counted = { id: 'views', label: 'Views', ...WEIGHT, only: BY_PEOPLE };
export const BOTS: Counted = { id: 'bots', label: 'Bots', ...WEIGHT, only: BY_BOTS };
export const PREFETCHED: Counted = { id: 'prefetches', label: 'Prefetched', ...WEIGHT, only: PREFETCHES };
export const OTHER: Counted = { id: 'others', label: 'Other', ...WEIGHT, only: OTHERS };
export const ALL: Counted = { id: 'all', label: 'All', ...WEIGHT, only: NO_TEST };
export const VISITORS: Counted = {
  id: 'visitors',
  field: 'hot_item.visitor',
  label: 'Visitors',
  of: 'distinct',
  only: BY_PEOPLE,
};

export const OVER_TIME: Rows = { by: 'time', id: 'time', field: TIME_FIELD, label: 'Time' };
export const BY_ITEM: Terms = { by: 'term', id: 'item', field: 'hot_item.id', label: 'Item', limit: 20 };
