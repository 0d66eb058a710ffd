/** A field in quotes, before its delimiter. */
const QUOTED = /(^|[,;\t|]) *"(?:[^"]|"")*" *(?=[,;\t|]|\r?$)/g;
/** A field that begins with a quote which is not closed. */
const OPEN = /(?:^|[,;\t|]) *"(?:[^"]|"")*$/;

/** Whether the header goes on in the line after `text`, whichever of the delimiters it has. */
export function goesOn(text: string): boolean {
  return OPEN.test(text.replaceAll(QUOTED, '$1'));
}

/** The headings in small letters, each as one line. Quotes are as in RFC 4180: a delimiter or a line break in them is text. */
export function headingsOf(text: string, delimiter: string): string[] {
  const end = `[${delimiter}]`;
  const field = new RegExp(`${end} *(?:"((?:[^"]|"")*)" *(?=${end}|\\r?$)|([^${delimiter}]*))`, 'g');
  return Array.from(`${delimiter}${text}`.matchAll(field), ([, quoted, plain = '']) =>
    (quoted?.replaceAll('""', '"') ?? plain).replaceAll(/\s+/g, ' ').trim().toLowerCase(),
  );
}
