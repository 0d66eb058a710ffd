/** What setup did to an object, or would do. */
export type Change = {
  /** `topic collection_hot_item` */
  what: string;
  /** `kept`: not changed, because that would lose `loses`, which was not permitted. */
  action: 'create' | 'update' | 'unchanged' | 'kept';
  /** What an update sets, by the names of Kafka or Elasticsearch. */
  settings?: SettingChange[];
  /** What the change deletes permanently: `records older than 7 days`. */
  loses?: string;
  /** For people: what differs from the configuration and is left as it is. */
  note?: string;
};

export type SettingChange = { name: string; from: string; to: string };

export type ChangeOptions = {
  /** Only report what would be done. */
  dryRun: boolean;
  /** Also make changes that delete something. */
  mayLose?: boolean;
};

/** The settings of `wanted` that differ in `found`. */
export function differences(
  found: Record<string, string | undefined>,
  wanted: Record<string, string | undefined>,
): SettingChange[] {
  return Object.entries(wanted).flatMap(([name, to]) => {
    const from = found[name] ?? 'not set';
    return to === undefined || to === from ? [] : [{ name, from, to }];
  });
}

/** What to do about a change that may delete something. */
export function actionOf(
  { settings, loses }: { settings: SettingChange[]; loses: string | undefined },
  { dryRun, mayLose = false }: ChangeOptions,
): Change['action'] {
  if (settings.length === 0) return 'unchanged';
  return loses === undefined || mayLose || dryRun ? 'update' : 'kept';
}
