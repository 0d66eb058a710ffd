import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import type { HotItemEvent } from '../../../event/event.ts';
import {
  FIELD_NAMES,
  type FIELDS,
  type FieldName,
  fieldOf,
  isJoined,
  isOmittable,
  isRequired,
} from '../../../event/fields.ts';
import { parse } from '../../../event/parse.ts';
import { isPlain, parsePlain } from '../../../event/parse-plain.ts';
import { createRedaction } from '../../../event/redaction.ts';
import { COLUMNS } from '../../../store/duckdb/columns.ts';

const REQUIRED: HotItemEvent = { v: 1, id: 'a1', time: 1_795_355_712_163, uri: '/item', item: '4711' };
const OPTIONAL = FIELD_NAMES.filter((name) => !isRequired(name));
const VALUES: Record<(typeof FIELDS)[FieldName]['type'], unknown> = {
  version: 1,
  text: '203.0.113.7',
  time: 1,
  kind: 'head',
  flag: true,
  weight: 4,
  names: ['uri'],
};

/** The shortest event with a field. */
function eventWith(name: FieldName): string {
  return JSON.stringify({ ...REQUIRED, [name]: VALUES[fieldOf(name).type] });
}

describe('each field of an event', () => {
  test.each(OPTIONAL.filter((name) => name !== 'cut' && !isJoined(name)))(
    '%s is read from a plain event',
    (name) => {
      const event = parsePlain(eventWith(name));
      expect(event !== undefined && isPlain(event)).toBe(true);
      expect(event).toHaveProperty(name);
      expect(event).toEqual(parse(eventWith(name)));
    },
  );

  test.each(OPTIONAL)('%s is kept where only addresses are masked', (name) => {
    const event = parse(eventWith(name));
    const masked = name === 'ip' ? { ...event, ip: '203.0.113.0' } : event;
    expect(createRedaction({ ip: { mode: 'truncate' }, omit: [] })(event)).toEqual(masked);
  });

  test.each(OPTIONAL.filter(isOmittable))('%s is absent if it is left out', (name) => {
    const redact = createRedaction({ ip: { mode: 'full' }, omit: [name] });
    expect(redact(parse(eventWith(name)))).toEqual(REQUIRED);
  });

  test('is documented in docs/events.md as in the table', () => {
    expect(readFileSync('docs/events.md', 'utf8')).toContain(documented());
  });

  test('has the same column as in existing DuckDB files', () => {
    expect(COLUMNS.map(({ name }) => name).slice(0, 18)).toEqual(
      [
        'id other_id time uri raw args item ip host method ua ref node weight cut',
        'bot',
        'visitor kind',
      ].flatMap((names) => names.split(' ')),
    );
  });
});

function documented(): string {
  const rows = FIELD_NAMES.map((name) => {
    const { limit, longest, required, omit, joined, ecs, column, about } = fieldOf(name);
    const cells = [
      `\`${name}\``,
      about,
      limit ?? longest ?? '',
      required
        ? 'always'
        : omit
          ? 'unless in `event.omit`'
          : name === 'ip'
            ? '`privacy.ip`'
            : joined
              ? 'if the catalogue has it'
              : 'if it applies',
      ecs === undefined ? '' : `\`${ecs.path}\``,
      column === undefined ? '' : column.type.split(' ')[0],
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return `${rows.join('\n')}\n`;
}
