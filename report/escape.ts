import { plainText } from '../service/plain-text.ts';

const LONGEST = 500;
const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text for HTML and SVG, as content or as a quoted attribute. Control and bidirectional characters are shown. */
export function html(text: string): string {
  return plainText(text, LONGEST).replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

/**
 * Text for a paragraph or a table cell of GitHub's Markdown: no markup, no HTML. GitHub looks for addresses, mentions and numbers of issues
 * after the escapes are resolved: there, a space without width parts them.
 */
export function markdown(text: string): string {
  return plainText(text, LONGEST)
    .replaceAll(/[\\`*_{}[\]()#+\-.!|~=:@^$/]/g, (character) => `\\${character}`)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/\\[@#]|\\:(?=\\\/)|www\\\./gi, '$&&#8203;');
}
