/** What Kibana keeps and imports: a data view, a visualization or a dashboard. */
export type SavedObject = {
  type: 'index-pattern' | 'lens' | 'dashboard';
  id: string;
  attributes: Record<string, unknown>;
  /** What it needs, by the name that its attributes use for it. */
  references: Reference[];
  coreMigrationVersion: string;
  typeMigrationVersion: string;
};

export type Reference = { type: SavedObject['type']; id: string; name: string };

// The version of the shapes below, not of the Kibana: it migrates older ones on import and refuses newer ones. These are
// what 8.9 exported, so 8.9 up to 9.x take them.
const CORE = '8.8.0';
const TYPE = { 'index-pattern': '8.0.0', lens: '8.9.0', dashboard: '8.9.0' };

/** A saved object with the versions that its shape has here. */
export function savedObject(
  parts: Omit<SavedObject, 'coreMigrationVersion' | 'typeMigrationVersion'>,
): SavedObject {
  return { ...parts, coreMigrationVersion: CORE, typeMigrationVersion: TYPE[parts.type] };
}
