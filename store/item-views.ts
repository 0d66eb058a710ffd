import type { ItemViews } from './event-questions.ts';

type Counted = Pick<ItemViews, 'all' | 'views' | 'bots' | 'prefetches' | 'visitors'>;

/**
 * The same object, with what is nothing else. It is not copied, which would take ten times as long for a list of ten thousand. `visitors`: by
 * a sketch perhaps, which may be a little above the views.
 */
export function withOthers<One extends Counted>(counted: One): One & Pick<ItemViews, 'others'> {
  const { all, views, bots, prefetches, visitors } = counted;
  return Object.assign(counted, {
    others: all - views - bots - prefetches,
    visitors: Math.min(visitors, views),
  });
}
