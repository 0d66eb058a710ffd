import { parseDocument } from 'yaml';

/**
 * Parses a YAML text. Throws an `Error` that gives the position of the problem but no text: messages and warnings of the parser quote it,
 * including the value after `password:`.
 */
export function parseSettings(text: string): unknown {
  const document = parseDocument(text, { logLevel: 'error' });
  const [wrong] = [...document.errors, ...document.warnings];
  if (wrong !== undefined) {
    const [at] = wrong.linePos ?? [];
    const where = at === undefined ? '' : `line ${at.line}, column ${at.col}: `;
    throw new Error(`${where}not valid YAML (${wrong.code})`);
  }
  try {
    return document.toJS();
  } catch {
    throw new Error(
      'not valid YAML: an alias (*) without its anchor, or too many; quote a value that begins with *',
    );
  }
}
