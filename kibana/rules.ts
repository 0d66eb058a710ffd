import type { Streams } from './objects.ts';
import { TIME_FIELD } from './panel.ts';
import { type SavedObject, savedObject } from './saved-object.ts';

type Rule = {
  id: string;
  name: string;
  /** Data streams. */
  index: string;
  /** Of Elasticsearch. */
  query: object;
  /** Fires if more, or fewer, documents than this match within so many minutes. */
  threshold: { comparator: '<' | '>'; documents: number };
  minutes: number;
};

/** A time for rules that have never run: they are shipped as Kibana exports them, off, and without the key of a user. */
const NEVER = '2026-01-01T00:00:00.000Z';
const HITS = 10;

/** Alert rules over the index. They are imported by hand, because that needs other privileges, and are off until somebody adds an action. */
export function createRules(options: Streams): SavedObject[] {
  return rulesOf(options).map(toObject);
}

function rulesOf({ views, decisions }: Streams): Rule[] {
  return [
    {
      id: 'hotitem-rule-no-views',
      name: 'hotitem: no views for ten minutes',
      index: views,
      query: { bool: { must_not: [{ term: { 'hot_item.kind': 'test' } }] } },
      threshold: { comparator: '<', documents: 1 },
      minutes: 10,
    },
    {
      id: 'hotitem-rule-turned-hot',
      name: 'hotitem: an item turned hot',
      index: decisions,
      query: {
        bool: {
          filter: [{ term: { 'event.action': 'enters' } }],
          must_not: [{ term: { 'hot_item.dry_run': true } }],
        },
      },
      threshold: { comparator: '>', documents: 0 },
      minutes: 5,
    },
    {
      id: 'hotitem-rule-held-back',
      name: 'hotitem: the cap holds items back',
      index: decisions,
      query: { range: { 'hot_item.held': { gte: 1 } } },
      threshold: { comparator: '>', documents: 0 },
      minutes: 5,
    },
    {
      id: 'hotitem-rule-sampled',
      name: 'hotitem: not every view is kept',
      index: views,
      query: { range: { 'hot_item.weight': { gt: 1 } } },
      threshold: { comparator: '>', documents: 0 },
      minutes: 5,
    },
  ];
}

function toObject({ id, name, index, query, threshold, minutes }: Rule): SavedObject {
  return savedObject({
    type: 'alert',
    id,
    attributes: {
      name,
      tags: ['hotitem'],
      enabled: false,
      consumer: 'alerts',
      alertTypeId: '.es-query',
      schedule: { interval: '1m' },
      params: {
        searchType: 'esQuery',
        index: index.split(','),
        timeField: TIME_FIELD,
        esQuery: JSON.stringify({ query }),
        size: HITS,
        timeWindowSize: minutes,
        timeWindowUnit: 'm',
        thresholdComparator: threshold.comparator,
        threshold: [threshold.documents],
        aggType: 'count',
        groupBy: 'all',
        excludeHitsFromPreviousRun: threshold.comparator === '>',
      },
      actions: [],
      throttle: null,
      notifyWhen: null,
      apiKey: null,
      apiKeyOwner: null,
      createdBy: null,
      updatedBy: null,
      createdAt: NEVER,
      updatedAt: NEVER,
      muteAll: false,
      mutedInstanceIds: [],
      legacyId: null,
      scheduledTaskId: null,
      executionStatus: { status: 'pending', lastExecutionDate: NEVER, error: null, warning: null },
      revision: 0,
      running: false,
    },
    references: [],
  });
}
