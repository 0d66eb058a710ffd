import { plainText } from '../../service/plain-text.ts';
import { columnsOf, cutTo } from './columns.ts';

/** A line for a terminal: pieces of untrusted text, each with a style. */
export type Line = Piece[];
export type Piece = { text: string; style?: Style };
export type Style = 'hot' | 'bold' | 'dim' | 'inverse';

const SGR: Record<Style, number> = { hot: 33, bold: 1, dim: 2, inverse: 7 };

/** The line, cut to `width` columns. Escape sequences in a text are shown; only styles become escape sequences, and only `styled`. */
export function render(line: Line, { width, styled }: { width: number; styled: boolean }): string {
  let left = width;
  const parts = line.map(({ text, style }) => {
    const shown = cutTo(plainText(text), left);
    left -= columnsOf(shown);
    return style === undefined || !styled || shown === '' ? shown : `\x1b[${SGR[style]}m${shown}\x1b[0m`;
  });
  return parts.join('').trimEnd();
}
