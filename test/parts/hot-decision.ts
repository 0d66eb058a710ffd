import type { HotDecision } from '../../event/decision-fields.ts';

/** A decision as the sidecar publishes it. */
export const DECISION: HotDecision = {
  v: 1,
  id: '019a1b2c3d4e5f60718293a4b5c6d7e8',
  time: 1_795_355_712_163,
  node: 'web-1',
  item: '4711',
  state: 'hot',
  signals: ['busy'],
  actions: ['announce', 'cache'],
  change: 'enters',
  signal: 'busy',
  reason: '412 views/s over 10 s',
  since: 1_795_355_712_163,
  rule: 'default',
  decided_by: 'rule default',
  version: 7,
};
