/** What Kibana stores and imports: a data view, a visualization, a saved search, a dashboard or an alert rule. */
export type SavedObject = {
  type: 'index-pattern' | 'lens' | 'search' | 'dashboard' | 'alert';
  id: string;
  attributes: Record<string, unknown>;
  /** What it needs, by the name that its attributes use for it. */
  references: Reference[];
  coreMigrationVersion: string;
  typeMigrationVersion: string;
};

export type Reference = { type: SavedObject['type']; id: string; name: string };

// Versions of the shapes below, not of Kibana: Kibana migrates older ones on import and rejects newer ones. Kibana 8.9 exports these versions,
// or later ones of the same shape, so 8.9 to 9.x can import the objects.
const CORE = '8.8.0';
const TYPE = {
  'index-pattern': '8.0.0',
  lens: '8.9.0',
  search: '7.9.3',
  dashboard: '8.9.0',
  alert: '8.8.0',
};

/** A saved object with the versions that its shape has here. */
export function savedObject(
  parts: Omit<SavedObject, 'coreMigrationVersion' | 'typeMigrationVersion'>,
): SavedObject {
  return { ...parts, coreMigrationVersion: CORE, typeMigrationVersion: TYPE[parts.type] };
}
