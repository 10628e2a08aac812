import { historyViewName } from '../../../connectors/warehouse/history.js';
import type { Json, Stream } from '../../../src/index.js';
import { canonical } from '../../diff/support/as-set.js';
import { textRow } from '../../warehouse/support/served.js';
import type { ExpectedInterval } from './reference.js';

type TextRow = Record<string, unknown>;

/** The query of a history in a warehouse: every column as text, instants as microseconds since 1970. */
export function historyQuery(stream: Stream, schema: string, micros: (column: string) => string): string {
  const columns = stream.schema.fields
    .filter(({ name }) => name !== 'snapshot_date')
    .map(
      ({ name, type }) =>
        `${type === 'timestamp' ? micros(`"${name}"`) : `CAST("${name}" AS VARCHAR)`} AS "${name}"`,
    );
  const dates = ['valid_from', 'valid_to', 'changed'].map(
    (name) => `CAST("${name}" AS VARCHAR) AS "${name}"`,
  );
  return `SELECT ${[...columns, ...dates, '"state"', '"began"', '"ended"', '"reason"'].join(', ')} FROM "${schema}"."${historyViewName(stream)}"`;
}

/** A timestamp as microseconds since 1970, as text. */
export const duckdbMicros = (column: string): string => `CAST(epoch_us(${column}) AS VARCHAR)`;
export const postgresMicros = (column: string): string =>
  `CAST(CAST(extract(epoch FROM ${column}) * 1000000 AS bigint) AS text)`;

/** The rows of a view as text, in an order. */
export const viewTexts = (stream: Stream, rows: readonly TextRow[]): string[] =>
  rows.map((row) => asText(stream, row, parsed(row.changed))).sort();

/** What the view of a stream must say, as text, in an order. */
export const expectedTexts = (stream: Stream, intervals: readonly ExpectedInterval[]): string[] =>
  intervals
    .filter((interval) => interval.stream === stream.name)
    .map(({ key, record, changed, ...interval }) => {
      const values = record && textRow({ ...key, ...record }, stream.schema);
      return asText(stream, { ...values, ...key, ...interval }, changed);
    })
    .sort();

const parsed = (text: unknown): Json => (text === null ? null : (JSON.parse(String(text)) as Json));

function asText({ schema, key: own }: Stream, row: TextRow, changed: Json): string {
  const { valid_from, valid_to, state, began, ended } = row;
  const values = schema.fields
    .filter(
      ({ name }) => name !== 'snapshot_date' && !(schema.primaryKey.includes(name) && !own.includes(name)),
    )
    .map(({ name, type }) => {
      const value = row[name] ?? null;
      return type === 'json' ? canonical(parsed(value)) : value;
    });
  const key = schema.primaryKey.map((name) => row[name] ?? null);
  return JSON.stringify([
    key,
    valid_from,
    valid_to,
    state,
    began,
    ended,
    changed && [...(changed as string[])].sort(),
    values,
  ]);
}
