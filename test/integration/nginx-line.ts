const FIELDS = [
  'version',
  'msec',
  'id',
  'ip',
  'method',
  'host',
  'uri',
  'item',
  'referrer',
  'purpose',
  'visitor',
  'agent',
];

/** A line's fields by name. Throws where there are not twelve. */
export function fieldsOf(line: string | undefined): Record<string, string | undefined> {
  const values = line?.split('\t') ?? [];
  if (values.length !== FIELDS.length)
    throw new Error(`not a line of twelve fields: ${JSON.stringify(line)}`);
  return Object.fromEntries(FIELDS.map((name, i) => [name, values[i]]));
}
