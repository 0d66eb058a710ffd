/** The vowels and last consonants of Korean are drawn into the first one. */
const ZERO = /^[\p{M}\p{Cf}\u1160-\u11ff\ud7b0-\ud7fb]/u;
/** East Asian wide and fullwidth characters, and emoji. */
const WIDE =
  /^[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]|^\p{Emoji_Presentation}/u;

/** How many columns of a terminal `text` occupies, approximately: terminals differ about emoji. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += widthOf(character);
  return columns;
}

/** `text` in at most `most` columns; what is too long ends with `…`. */
export function cutTo(text: string, most: number): string {
  if (columnsOf(text) <= most) return text;
  let cut = '';
  let columns = 0;
  for (const character of text) {
    columns += widthOf(character);
    if (columns > most - 1) break;
    cut += character;
  }
  return most > 0 ? `${cut}…` : '';
}

/** `text` in exactly `columns` columns. */
export function cell(text: string, columns: number, side: 'left' | 'right' = 'left'): string {
  const cut = cutTo(text, columns);
  const gap = ' '.repeat(columns - columnsOf(cut));
  return side === 'left' ? `${cut}${gap}` : `${gap}${cut}`;
}

function widthOf(character: string): number {
  if (ZERO.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}
