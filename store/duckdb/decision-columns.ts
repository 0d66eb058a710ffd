import { type DuckDBAppender, DuckDBUUIDValue, LIST, VARCHAR } from '@duckdb/node-api';
import {
  DECISION_FIELD_NAMES,
  type DecisionFieldName,
  decisionFieldOf,
  type HotDecision,
} from '../../event/decision-fields.ts';
import { toTimestamp } from './columns.ts';

/*
 * The columns of the table of decisions: a column for each field that has one in `DECISION_FIELDS`.
 */

const NAMES = LIST(VARCHAR);
const COLUMNS = DECISION_FIELD_NAMES.flatMap((name) => {
  const { column } = decisionFieldOf(name);
  return column === undefined ? [] : [{ name, type: column, append: appendOf(name) }];
});

type Append = (appender: DuckDBAppender, value: HotDecision[DecisionFieldName], key: bigint) => void;

export const CREATE_DECISIONS: string = `CREATE TABLE decisions (${COLUMNS.map(({ name, type }) => `${name} ${type}`).join(', ')});`;

/** Appends a decision to the table, with its key. */
export function appendDecision(appender: DuckDBAppender, key: bigint, decision: HotDecision): void {
  for (const { name, append } of COLUMNS) {
    const value = decision[name];
    if (value === undefined) appender.appendNull();
    else append(appender, value, key);
  }
  appender.endRow();
}

function appendOf(name: DecisionFieldName): Append {
  if (name === 'id') return (appender, _, key) => appender.appendUUID(DuckDBUUIDValue.fromUint128(key));
  switch (decisionFieldOf(name).type) {
    case 'time':
      return (appender, value) => appender.appendTimestampMilliseconds(toTimestamp(Number(value)));
    case 'count':
      return (appender, value) => appender.appendBigInt(BigInt(Number(value)));
    case 'number':
      return (appender, value) => appender.appendDouble(Number(value));
    case 'flag':
      return (appender, value) => appender.appendBoolean(value === true);
    case 'texts':
      return (appender, value) => appender.appendList(Array.isArray(value) ? value : [], NAMES);
    default:
      return (appender, value) => appender.appendVarchar(String(value));
  }
}
