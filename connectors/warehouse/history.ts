import { EXTRA, type Field, historySchema, type Stream, scopedStream } from '../../src/index.js';
import type { Dialect, HistoryFunctions } from './ddl.js';
import { readListsTable, type SnapshotTable, snapshotsTable, unreadListsTable } from './model.js';

/** What a view on the history of a stream is made from. */
interface HistoryRequest {
  stream: Stream;
  table: SnapshotTable;
  schema: string;
  dialect: Dialect;
  history: HistoryFunctions;
}

/** The name of the view. */
export const historyViewName = ({ name }: Pick<Stream, 'name'>): string => `${name}_history`;

/**
 * What the records of a stream were, from day to day, by the snapshots that were loaded: the same intervals as the library's
 * `directoryHistory` derives from files. It is a view, so it is right in whatever order days are loaded; a condition on the key is
 * all that is then computed.
 */
export function createHistoryView(request: HistoryRequest): string {
  const { stream, schema, dialect } = request;
  const { name } = dialect.quoting;
  return `CREATE OR REPLACE VIEW ${name(schema, historyViewName(stream))} AS
WITH
${Object.entries(partsOf(request))
  .map(([part, sql]) => `  ${part} AS (\n    ${sql}\n  )`)
  .join(',\n')}
${present(request)}
UNION ALL
${unknown(request)}`;
}

/** The columns that can change, in their order. */
const valuesOf = ({ stream }: HistoryRequest): Field[] =>
  stream.schema.fields.filter(
    ({ name, origin }) => !stream.key.includes(name) && (origin === 'api' || name === EXTRA.name),
  );

function partsOf(request: HistoryRequest): Record<string, string> {
  const { stream, table, schema, dialect } = request;
  const { name } = dialect.quoting;
  const own = stream.schema.primaryKey;
  const key = list(own);
  const ofKey = `PARTITION BY ${list(own, 'x')}`;
  const ofList = windowOf(table.parentColumns);
  const values = valuesOf(request).map((field) => field.name);
  const isOther = (column: Field): string =>
    column.type === 'json'
      ? `CAST(${q(column.name)} AS ${dialect.types.string}) IS DISTINCT FROM CAST(${before(column.name)} AS ${dialect.types.string})`
      : `${q(column.name)} IS DISTINCT FROM ${before(column.name)}`;
  return {
    days: `SELECT "run_date", row_number() OVER (ORDER BY "run_date") AS "day"
    FROM (SELECT DISTINCT "run_date" FROM ${name(schema, snapshotsTable.name)}) d`,
    lists:
      table.parentColumns.length === 0
        ? 'SELECT 1 AS "one"'
        : `SELECT DISTINCT ${list(table.parentColumns)} FROM ${name(schema, table.name)}`,
    // Each list on each day, and why it is not known; null: it is.
    listed: `SELECT ${list([...table.parentColumns, 'run_date', 'day', 'reason', 'columns'])},
      count(CASE WHEN "reason" IS NULL THEN 1 END) OVER (${ofList}) AS "known_day",
      lag("reason") OVER (${ofList}) AS "reason_before",
      min(CASE WHEN "reason" IS NULL THEN "run_date" END) OVER (${ofList} ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS "known_from"
    FROM (
      SELECT ${list(table.parentColumns, 'l', ', ')}d."run_date", d."day", s."columns" AS "columns",
        ${reasonOf(request)} AS "reason"
      FROM lists l CROSS JOIN days d
      ${joinsOf(request).join('\n      ')}
    ) t`,
    // The rows of lists that are known, each with the one before.
    lined: `SELECT ${list([...own, ...values], 'x')}, d."run_date", d."day", d."known_day", d."reason_before", d."columns",
      lag(d."day") OVER (${ofKey} ORDER BY d."day") AS "day_before",
      lag(d."known_day") OVER (${ofKey} ORDER BY d."day") AS "known_day_before",
      lag(d."columns") OVER (${ofKey} ORDER BY d."day") AS "columns_before",
      ${values.map((column) => `lag(x.${q(column)}) OVER (${ofKey} ORDER BY d."day") AS ${before(column)},`).join('\n      ')}
      max(d."day") OVER (${ofKey}) AS "last_day"
    FROM ${name(schema, table.name)} x
    JOIN listed d ON d."run_date" = x."snapshot_date"${sameList(table, 'd', 'x')} AND d."reason" IS NULL`,
    // Those with which an interval may begin: they are few, and what is slow is done for them alone.
    candidates: `SELECT * FROM lined
    WHERE "day_before" IS NULL OR "day" <> "day_before" + 1
      OR ${valuesOf(request).map(isOther).join('\n      OR ')}`,
    differing: `SELECT c.*,
      ${valuesOf(request)
        .map((column) => `(${differs(column, request)}) AS ${changed(column.name)}`)
        .join(',\n      ')}
    FROM candidates c`,
    beginnings: `SELECT x.*,
      COALESCE(lead(x."day_before") OVER (${ofKey} ORDER BY x."day"), x."last_day") AS "end_day",
      lead(x."day") OVER (${ofKey} ORDER BY x."day") AS "next_day",
      CASE WHEN x."known_day" = x."known_day_before" + 1 THEN TRUE ELSE FALSE END AS "was_there"
    FROM differing x
    WHERE x."day_before" IS NULL OR x."day" <> x."day_before" + 1 OR ${values.map((column) => `x.${changed(column)}`).join(' OR ')}`,
    records: `SELECT DISTINCT ${key}
    FROM ${name(schema, table.name)} x
    WHERE EXISTS (SELECT 1 FROM listed d WHERE d."run_date" = x."snapshot_date"${sameList(table, 'd', 'x')} AND d."reason" IS NULL)`,
  };
}

/** Days on which a record was the same. */
function present(request: HistoryRequest): string {
  const { stream, table, history } = request;
  const values = valuesOf(request).map((field) => field.name);
  const texts = values.map((column) => `CASE WHEN b.${changed(column)} THEN '${column}' END`);
  const isChanged = values.map((column) => `b.${changed(column)}`).join(' OR ');
  return `SELECT ${list(stream.schema.primaryKey, 'b')}, b."run_date" AS "valid_from", e."run_date" AS "valid_to", 'present' AS "state",
  CASE
    WHEN b."day" = 1 THEN 'first_read'
    WHEN b."was_there" AND b."day" = b."day_before" + 1 THEN 'changed'
    WHEN b."was_there" THEN 'known_again'
    WHEN b."reason_before" IS NOT NULL THEN 'added_or_earlier'
    WHEN b."day_before" IS NULL THEN 'added'
    ELSE 'returned'
  END AS "began",
  CASE
    WHEN e."run_date" IS NULL THEN NULL
    WHEN e."reason" IS NOT NULL THEN 'unknown'
    WHEN b."next_day" = b."end_day" + 1 THEN 'changed'
    ELSE 'removed'
  END AS "ended",
  CASE WHEN b."was_there" AND (${isChanged}) THEN ${history.array(texts)} END AS "changed",
  ${nothing('reason', request)},
  ${list(values, 'b')}
FROM beginnings b
LEFT JOIN listed e ON e."day" = b."end_day" + 1${sameList(table, 'e', 'b')}`;
}

/** Days on which nothing is known of a record that was there on any day. */
function unknown(request: HistoryRequest): string {
  const { stream, table } = request;
  const values = valuesOf(request).map(({ name }) => nothing(name, request));
  return `SELECT ${list(stream.schema.primaryKey, 'r')}, u."run_date", u."known_from", 'unknown',
  ${nothing('began', request)}, ${nothing('ended', request)}, ${nothing('changed', request)}, u."reason",
  ${values.join(', ')}
FROM records r
JOIN listed u ON u."reason" IS NOT NULL AND u."reason_before" IS NULL${sameList(table, 'u', 'r')}`;
}

/** Why a list of a day is not known, as `listStates` of the library has it. */
function reasonOf({ stream }: HistoryRequest, depth = 0): string {
  const [snapshots, unread, read] = aliases(depth);
  const { parent } = stream;
  const cases = [`WHEN ${snapshots}."stream" IS NULL THEN 'stream_not_read'`];
  if (stream === scopedStream)
    cases.push(`WHEN NOT ${snapshots}."has_all_organizations" THEN 'organizations_not_all_read'`);
  cases.push(`WHEN ${unread}."stream" IS NOT NULL THEN COALESCE(${unread}."reason", ${unread}."verdict")`);
  if (!parent) cases.push(`WHEN ${snapshots}."slice_count" = 0 THEN 'list_not_read'`);
  else {
    cases.push(`WHEN ${read}."stream" IS NOT NULL THEN NULL`);
    const scoped = scopedColumn(stream);
    if (scoped !== undefined)
      cases.push(
        `WHEN NOT ${snapshots}."has_all_organizations" AND position('"' || l.${q(scoped)} || '"' IN ${snapshots}."scope") = 0 THEN 'organization_not_asked_for'`,
      );
    cases.push(`ELSE ${reasonOf({ stream: parent.stream } as HistoryRequest, depth + 1)}`);
  }
  return `CASE ${cases.join(' ')} END`;
}

/** The column by which the lists of a stream are chosen with `--org`, if they are. */
function scopedColumn({ parent }: Stream): string | undefined {
  if (!parent) return undefined;
  return parent.stream === scopedStream ? parent.column : scopedColumn(parent.stream);
}

/** What is known of the list, and of those above it. */
function joinsOf(request: HistoryRequest): string[] {
  const { schema, dialect } = request;
  const { name } = dialect.quoting;
  const joins: string[] = [];
  let columns = request.table.parentColumns;
  let depth = 0;
  for (let above: Stream | undefined = request.stream; above; above = above.parent?.stream) {
    const [snapshots, ...lists] = aliases(depth);
    const stream = above.name;
    const of = (alias: string): string =>
      `${alias}."run_date" = d."run_date" AND ${alias}."stream" = '${stream}'`;
    joins.push(`LEFT JOIN ${name(schema, snapshotsTable.name)} ${snapshots} ON ${of(snapshots)}`);
    for (const [i, { name: table }] of [unreadListsTable, readListsTable].entries()) {
      const alias = String(lists[i]);
      const own = columns.map((column) => ` AND ${alias}.${q(column)} = l.${q(column)}`).join('');
      joins.push(`LEFT JOIN ${name(schema, table)} ${alias} ON ${of(alias)}${own}`);
    }
    columns = columns.slice(0, -1);
    depth += 1;
  }
  return joins;
}

const aliases = (depth: number): [snapshots: string, unread: string, read: string] => {
  const suffix = depth === 0 ? '' : String(depth);
  return [`s${suffix}`, `u${suffix}`, `r${suffix}`];
};

/** Whether a value is another one than before, as the library's comparison has it. */
function differs(column: Field, request: HistoryRequest): string {
  const { stream, history } = request;
  const { name, type } = column;
  const kind = (columns: string): string =>
    `(CAST(c.${q(columns)} AS ${request.dialect.types.json}) ->> '${name}')`;
  const isComparable = `(c."columns" = c."columns_before" OR ${kind('columns')} IS NOT DISTINCT FROM ${kind('columns_before')})`;
  const pair = (expression: (column: (name: string) => string) => string): string =>
    `${expression((own) => `c.${q(own)}`)} IS DISTINCT FROM ${expression((own) => `c.${before(own)}`)}`;
  const extraText = (of: (name: string) => string): string => history.memberText(of(EXTRA.name), name);
  if (name === EXTRA.name) {
    const texts = stream.fields.filter((field) => field.type === 'timestamp').map((field) => field.name);
    const all = stream.fields.map((field) => field.name);
    // A version that does not know a column keeps it in `extra`.
    return `${isComparable} AND CASE
        WHEN c."columns" = c."columns_before" THEN ${pair((of) => history.meaningWithout(of(name), { texts, all: [] }))}
        ELSE ${pair((of) => history.meaningWithout(of(name), { texts, all }))}
      END`;
  }
  if (type === 'json') return `${isComparable} AND ${pair((of) => history.meaning(of(name)))}`;
  if (type !== 'timestamp') return `${isComparable} AND ${pair((of) => of(name))}`;
  // What the column does not hold is in `extra`: a text that is no instant, or the digits after the sixth.
  const rest = (of: (name: string) => string): string =>
    `CASE WHEN ${of(name)} IS NULL THEN ${extraText(of)} ELSE COALESCE(${history.lateDigits(extraText(of))}, '') END`;
  return `${isComparable} AND (${pair((of) => of(name))} OR ${pair(rest)})`;
}

const sameList = ({ parentColumns }: SnapshotTable, one: string, other: string): string =>
  parentColumns.map((column) => ` AND ${one}.${q(column)} = ${other}.${q(column)}`).join('');

const windowOf = (columns: readonly string[]): string =>
  `${columns.length > 0 ? `PARTITION BY ${list(columns)} ` : ''}ORDER BY "day"`;

/** Null in a column of the view. */
function nothing(column: string, { stream, dialect }: HistoryRequest): string {
  const field = [...stream.schema.fields, ...historySchema.fields].find(({ name }) => name === column);
  return `CAST(NULL AS ${dialect.types[field?.type ?? 'string']}) AS ${q(column)}`;
}

const q = (column: string): string => `"${column}"`;
const before = (column: string): string => `"${column}_before"`;
const changed = (column: string): string => `"${column}_changed"`;

/** Columns, separated by commas. @param after what follows the last one, where there is one */
const list = (columns: readonly string[], alias?: string, after = ''): string =>
  columns.length === 0
    ? ''
    : columns.map((column) => (alias === undefined ? q(column) : `${alias}.${q(column)}`)).join(', ') + after;
