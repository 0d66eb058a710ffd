/*
 * The fields of a decision, as `event/fields.ts` has those of an event: one table, in the order in which the fields are written. The type
 * of a decision, parsing, its document, the mapping, the columns and docs/events.md follow from this table.
 */

export type DecisionField = {
  /** The type of its values. A `text` is never empty. */
  type: 'version' | 'text' | 'time' | 'count' | 'number' | 'flag' | 'texts' | 'state' | 'change' | 'override';
  /** In every decision. */
  required?: true;
  /** Longest text, in characters. */
  longest?: number;
  /** Its field in a document, with the mapping. */
  ecs?: { path: string; type: 'keyword' | 'date' | 'long' | 'double' | 'boolean'; ignore_above?: number };
  /** Its column in DuckDB. */
  column?: string;
  /** For docs/events.md. */
  about: string;
};

export const STATES = ['hot', 'cold'] as const;
/** `held`: the cap holds it back. `stays`: nothing has changed; it is repeated for a topic that forgets. */
export const CHANGES = ['enters', 'changes', 'leaves', 'held', 'stays'] as const;
const OVERRIDES = ['pin', 'ban'] as const;

/** Limit of a name of an item or a rule. */
const LONGEST_NAME = 1024;
/** Limit of a text that an operator gives. */
const LONGEST_REASON = 2000;
/** Elasticsearch rejects a term above 32 KB, and a character may take four bytes. */
const TERM = 8000;

export const DECISION_FIELDS = {
  v: { type: 'version', required: true, about: 'version of the format: 1' },
  id: {
    type: 'text',
    required: true,
    longest: 128,
    ecs: { path: 'event.id', type: 'keyword' },
    column: 'UUID NOT NULL',
    about:
      '12 hex digits of `time` and 20 of a hash of the decision: a decision that is sent twice has the same id',
  },
  time: {
    type: 'time',
    required: true,
    ecs: { path: '@timestamp', type: 'date' },
    column: 'TIMESTAMP_MS NOT NULL',
    about: 'when it was decided, ms since 1970',
  },
  node: {
    type: 'text',
    required: true,
    longest: LONGEST_NAME,
    ecs: { path: 'host.name', type: 'keyword', ignore_above: TERM },
    column: 'VARCHAR NOT NULL',
    about: 'the host whose sidecar decided',
  },
  item: {
    type: 'text',
    required: true,
    longest: LONGEST_NAME,
    ecs: { path: 'hot_item.id', type: 'keyword', ignore_above: TERM },
    column: 'VARCHAR NOT NULL',
    about: 'the item',
  },
  state: {
    type: 'state',
    required: true,
    ecs: { path: 'hot_item.state', type: 'keyword' },
    column: 'VARCHAR NOT NULL',
    about: '`hot` while any signal applies, otherwise `cold`',
  },
  signals: {
    type: 'texts',
    required: true,
    ecs: { path: 'hot_item.signals', type: 'keyword', ignore_above: TERM },
    column: 'VARCHAR[]',
    about: 'the signals by which it is hot after this change: `busy`, `surge`, `concentrated`, `pin`',
  },
  actions: {
    type: 'texts',
    required: true,
    ecs: { path: 'hot_item.actions', type: 'keyword', ignore_above: TERM },
    column: 'VARCHAR[]',
    about: 'the actions for it after this change: `announce`, `cache`, `isolate`, `limit`',
  },
  change: {
    type: 'change',
    required: true,
    ecs: { path: 'event.action', type: 'keyword' },
    column: 'VARCHAR NOT NULL',
    about:
      'what happened to `signal`: `enters`, `changes` (other rules, another pin), `leaves`, `held` (it would enter, but the cap is reached); or `stays`: nothing, the decision is repeated',
  },
  signal: {
    type: 'text',
    required: true,
    longest: LONGEST_NAME,
    ecs: { path: 'hot_item.signal', type: 'keyword', ignore_above: TERM },
    column: 'VARCHAR NOT NULL',
    about: 'the signal of this decision',
  },
  reason: {
    type: 'text',
    required: true,
    longest: LONGEST_REASON,
    ecs: { path: 'event.reason', type: 'keyword', ignore_above: TERM },
    column: 'VARCHAR NOT NULL',
    about:
      'why the item became hot by `signal`, a sentence with numbers; for a pin, the reason that was given',
  },
  since: {
    type: 'time',
    required: true,
    ecs: { path: 'event.start', type: 'date' },
    column: 'TIMESTAMP_MS NOT NULL',
    about: 'when it became hot by `signal`, ms since 1970',
  },
  until: {
    type: 'time',
    ecs: { path: 'hot_item.until', type: 'date' },
    column: 'TIMESTAMP_MS',
    about: 'when a pin ends, ms since 1970',
  },
  rule: {
    type: 'text',
    required: true,
    longest: LONGEST_NAME,
    ecs: { path: 'rule.name', type: 'keyword', ignore_above: TERM },
    column: 'VARCHAR NOT NULL',
    about: 'the rule that applies; `default` if none does',
  },
  dry_run: {
    type: 'flag',
    ecs: { path: 'hot_item.dry_run', type: 'boolean' },
    column: 'BOOLEAN',
    about: 'true: a dry run, hidden from nginx',
  },
  decided_by: {
    type: 'text',
    required: true,
    longest: LONGEST_NAME,
    ecs: { path: 'hot_item.decided_by', type: 'keyword', ignore_above: TERM },
    column: 'VARCHAR NOT NULL',
    about:
      'who decided: `rule NAME`, `file` (the rules file), `restart`, or the login of the operator who ran `hotitem hot`',
  },
  version: {
    type: 'count',
    required: true,
    ecs: { path: 'hot_item.version', type: 'long' },
    column: 'BIGINT NOT NULL',
    about: 'grows with each change of the node, over all items',
  },
  window_seconds: {
    type: 'number',
    ecs: { path: 'hot_item.window_seconds', type: 'double' },
    column: 'DOUBLE',
    about: 'the window of the numbers below',
  },
  views_per_second: {
    type: 'number',
    ecs: { path: 'hot_item.views_per_second', type: 'double' },
    column: 'DOUBLE',
    about: 'views per second in that window',
  },
  visitors: {
    type: 'number',
    ecs: { path: 'hot_item.visitors', type: 'double' },
    column: 'DOUBLE',
    about: 'visitors in that window',
  },
  before_per_second: {
    type: 'number',
    ecs: { path: 'hot_item.before_per_second', type: 'double' },
    column: 'DOUBLE',
    about: 'views per second in the minutes before',
  },
  baseline_per_second: {
    type: 'number',
    ecs: { path: 'hot_item.baseline_per_second', type: 'double' },
    column: 'DOUBLE',
    about: 'the usual number of visitors per second',
  },
  heaviest_views: {
    type: 'number',
    ecs: { path: 'hot_item.heaviest_views', type: 'double' },
    column: 'DOUBLE',
    about: 'views by the visitor with the most',
  },
  estimated: {
    type: 'flag',
    ecs: { path: 'hot_item.estimated', type: 'boolean' },
    column: 'BOOLEAN',
    about: 'true: visitors are estimated, because views are sampled',
  },
  held: {
    type: 'count',
    ecs: { path: 'hot_item.held', type: 'long' },
    column: 'BIGINT',
    about: 'items that the cap holds back at this moment; absent means none',
  },
  override: {
    type: 'override',
    ecs: { path: 'hot_item.override', type: 'keyword' },
    column: 'VARCHAR',
    about: '`pin` or `ban`, if one is in effect for the item',
  },
  override_by: {
    type: 'text',
    longest: LONGEST_NAME,
    ecs: { path: 'user.name', type: 'keyword', ignore_above: TERM },
    column: 'VARCHAR',
    about: 'who set the pin or ban; `file` for the rules file',
  },
  override_reason: {
    type: 'text',
    longest: LONGEST_REASON,
    ecs: { path: 'hot_item.override_reason', type: 'keyword', ignore_above: TERM },
    column: 'VARCHAR',
    about: 'why it is pinned or banned',
  },
} as const satisfies Readonly<Record<string, DecisionField>>;

type Fields = typeof DECISION_FIELDS;
export type DecisionFieldName = keyof Fields;
type Required = {
  [Name in DecisionFieldName]: Fields[Name] extends { required: true } ? Name : never;
}[DecisionFieldName];

type ValueOf<Name extends DecisionFieldName> = {
  version: 1;
  text: string;
  time: number;
  count: number;
  number: number;
  flag: boolean;
  texts: readonly string[];
  state: (typeof STATES)[number];
  change: (typeof CHANGES)[number];
  override: (typeof OVERRIDES)[number];
}[Fields[Name]['type']];

/** One decision about an item, as it is in the topic. */
export type HotDecision = { [Name in Required]: ValueOf<Name> } & {
  [Name in Exclude<DecisionFieldName, Required>]?: ValueOf<Name>;
};

export const DECISION_FIELD_NAMES = Object.keys(DECISION_FIELDS).filter(isDecisionFieldName);

/** The possible values of fields that have one of a few words. */
export const WORDS: Readonly<Partial<Record<DecisionField['type'], readonly string[]>>> = {
  state: STATES,
  change: CHANGES,
  override: OVERRIDES,
};

export function isDecisionFieldName(name: string): name is DecisionFieldName {
  return Object.hasOwn(DECISION_FIELDS, name);
}

/** A field with all its options. */
export function decisionFieldOf(name: DecisionFieldName): DecisionField {
  return DECISION_FIELDS[name];
}
