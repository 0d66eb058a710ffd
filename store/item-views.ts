import type { ItemViews } from './event-questions.ts';

type Counted = Pick<ItemViews, 'all' | 'views' | 'bots' | 'prefetches' | 'visitors'>;

/** With what is nothing else. `visitors`: by a sketch perhaps, which may be a little above the views. */
export function withOthers<One extends Counted>(counted: One): One & Pick<ItemViews, 'others'> {
  const { all, views, bots, prefetches, visitors } = counted;
  return { ...counted, others: all - views - bots - prefetches, visitors: Math.min(visitors, views) };
}
