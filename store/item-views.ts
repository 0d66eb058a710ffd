import type { ItemViews } from './event-questions.ts';

/** `visitors`: by a sketch perhaps, which may be a little above the views. */
export function itemViewsOf(counted: Omit<ItemViews, 'others'>): ItemViews {
  const { all, views, bots, prefetches, visitors } = counted;
  return { ...counted, others: all - views - bots - prefetches, visitors: Math.min(visitors, views) };
}
