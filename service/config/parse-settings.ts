import { parseDocument } from 'yaml';

/**
 * The value of a YAML text. Throws an `Error` that says where it is wrong and shows nothing of the text: the parser's own
 * messages and warnings quote it, and the value after `password:` with it.
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
