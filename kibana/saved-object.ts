/** An object that Kibana stores and imports: a data view, a visualization or a dashboard. */
export type SavedObject = {
  type: 'index-pattern' | 'lens' | 'dashboard';
  id: string;
  attributes: Record<string, unknown>;
  /** The objects that it refers to, with the names that its attributes use. */
  references: Reference[];
  coreMigrationVersion: string;
  typeMigrationVersion: string;
};

export type Reference = { type: SavedObject['type']; id: string; name: string };

// The version of the formats below, not of Kibana, which migrates older formats on import and rejects newer ones. Kibana 8.9 exported
// these, so 8.9 to 9.x accept them.
const CORE = '8.8.0';
const TYPE = { 'index-pattern': '8.0.0', lens: '8.9.0', dashboard: '8.9.0' };

/** A saved object with the versions of its format. */
export function savedObject(
  parts: Omit<SavedObject, 'coreMigrationVersion' | 'typeMigrationVersion'>,
): SavedObject {
  return { ...parts, coreMigrationVersion: CORE, typeMigrationVersion: TYPE[parts.type] };
}
