import {
  actionOf,
  type Change,
  type ChangeOptions,
  differences,
  type SettingChange,
} from '../../service/change.ts';
import type { TopicSpec } from './client.ts';

/** What setting up topics asks of a client of Kafka. */
export type TopicAdmin = {
  list(): Promise<string[]>;
  create(spec: TopicSpec): Promise<void>;
  /** The shape of an existing topic, and its settings of these names, including those of the broker. */
  describe(topic: string, settings: string[]): Promise<TopicState>;
  /** Sets these and leaves all others as they are. */
  set(topic: string, settings: SettingChange[]): Promise<void>;
};

export type TopicState = {
  partitions: number;
  replicas: number;
  settings: Record<string, string | undefined>;
};

const RETENTION = 'retention.ms';

/** Retention without end. */
const FOR_EVER = -1;
const UNITS: [string, number][] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
];

/** What a new topic is set to. */
export function newSettings({ retentionMs, settings = {} }: TopicSpec): { name: string; value: string }[] {
  return Object.entries({ [RETENTION]: String(retentionMs), ...settings }).map(([name, value]) => ({
    name,
    value,
  }));
}

/** Creates the topics that are missing. Of those that are there it changes what the specification says was asked for, and nothing else. */
export async function setUpTopics(
  admin: TopicAdmin,
  topics: TopicSpec[],
  options: ChangeOptions,
): Promise<Change[]> {
  const there = new Set(await admin.list());
  const changes: Change[] = [];
  for (const spec of topics) {
    changes.push(await (there.has(spec.topic) ? alter(admin, spec, options) : create(admin, spec, options)));
  }
  return changes;
}

async function create(admin: TopicAdmin, spec: TopicSpec, { dryRun }: ChangeOptions): Promise<Change> {
  if (!dryRun) await admin.create(spec);
  return { what: `topic ${spec.topic}`, action: 'create' };
}

async function alter(admin: TopicAdmin, spec: TopicSpec, options: ChangeOptions): Promise<Change> {
  const what = `topic ${spec.topic}`;
  const { given = [] } = spec;
  if (given.length === 0) return { what, action: 'unchanged' };
  const found = await admin.describe(spec.topic, [RETENTION]);
  const wanted = given.includes('retentionMs') ? { [RETENTION]: String(spec.retentionMs) } : {};
  const settings = differences(found.settings, wanted);
  const loses = lossOf(settings);
  const action = actionOf({ settings, loses }, options);
  if (action === 'update' && !options.dryRun) await admin.set(spec.topic, settings);
  return {
    what,
    action,
    ...(settings.length > 0 && { settings }),
    ...(loses && { loses }),
    ...note(spec, found),
  };
}

function lossOf(settings: SettingChange[]): string | undefined {
  const retention = settings.find(({ name }) => name === RETENTION);
  if (retention === undefined) return undefined;
  const [from, to] = [Number(retention.from), Number(retention.to)];
  // What cannot be read may be longer.
  const isLonger = from !== FOR_EVER && to >= from;
  return isLonger ? undefined : `records older than ${duration(to)}`;
}

function note(
  { partitions, replicationFactor, given = [] }: TopicSpec,
  found: TopicState,
): { note?: string } {
  const problems = [
    given.includes('partitions') ? otherwise(found.partitions, partitions, 'partition') : [],
    given.includes('replicationFactor') ? otherwise(found.replicas, replicationFactor, 'replica') : [],
  ].flat();
  return problems.length === 0 ? {} : { note: `${problems.join(', ')}: change that with Kafka's tools` };
}

function otherwise(is: number, wanted: number, thing: string): string[] {
  return is === wanted ? [] : [`it has ${plural(is, thing)} instead of ${wanted}`];
}

function duration(ms: number): string {
  const [unit, length] = UNITS.find(([, each]) => ms % each === 0) ?? ['millisecond', 1];
  return plural(ms / length, unit);
}

function plural(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? '' : 's'}`;
}
