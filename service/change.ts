/** What setup did to one thing, or would do. */
export type Change = {
  /** `topic collection_hot_item` */
  what: string;
  /** `kept`: it was not changed, because that would lose `loses`, which was not permitted. */
  action: 'create' | 'update' | 'unchanged' | 'kept';
  /** What an update sets, by the names that the other side gives them. */
  settings?: SettingChange[];
  /** What is gone for good after the change: `records older than 7 days`. */
  loses?: string;
  /** For people: what is not as it was asked for, and stays so. */
  note?: string;
};

export type SettingChange = { name: string; from: string; to: string };

export type ChangeOptions = {
  /** Only say what would be done. */
  dryRun: boolean;
  /** Make also the changes that lose something. */
  mayLose?: boolean;
};

/** The settings of `wanted` that are not so in `found`. */
export function differences(
  found: Record<string, string | undefined>,
  wanted: Record<string, string | undefined>,
): SettingChange[] {
  return Object.entries(wanted).flatMap(([name, to]) => {
    const from = found[name] ?? 'not set';
    return to === undefined || to === from ? [] : [{ name, from, to }];
  });
}

/** What is done about a change that may lose something. */
export function actionOf(
  { settings, loses }: { settings: SettingChange[]; loses: string | undefined },
  { dryRun, mayLose = false }: ChangeOptions,
): Change['action'] {
  if (settings.length === 0) return 'unchanged';
  return loses === undefined || mayLose || dryRun ? 'update' : 'kept';
}
