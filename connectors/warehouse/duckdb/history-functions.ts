import type { HistoryFunctions } from '../ddl.js';
import { standardQuoting } from '../sql.js';

const { value } = standardQuoting;

/** DuckDB compares JSON as text: here it is a list of its values, each with its place. Of two members of one name it keeps both. */
const nodes = (json: string, condition = ''): string => `(
      SELECT list(
        {
          'place': n.path,
          'member': n.key,
          'value': CASE
            WHEN n.type = 'VARCHAR' THEN '"' || (n.atom ->> '$')
            WHEN n.type IN ('BIGINT', 'UBIGINT', 'HUGEINT', 'DOUBLE') THEN CAST(CAST(n.atom AS DOUBLE) + 0 AS VARCHAR)
            ELSE COALESCE(CAST(n.atom AS VARCHAR), n.type)
          END
        } ORDER BY n.path, n.key, CAST(n.value AS VARCHAR)
      )
      FROM json_tree(${json}) n${condition}
    )`;

const listOf = (names: readonly string[]): string => names.map((name) => value(name)).join(', ');

export const duckdbHistory: HistoryFunctions = {
  meaning: (json) => nodes(json),
  meaningWithout(object, { texts, all }) {
    const left = [
      'n.parent IS NOT NULL',
      ...(texts.length > 0
        ? [`NOT (n.path = '$' AND n.type = 'VARCHAR' AND n.key IN (${listOf(texts)}))`]
        : []),
      // A member's own members come with it.
      ...all.map(
        (name) =>
          `NOT (n.path = '$' AND n.key = ${value(name)}) AND n.path <> ${value(`$.${name}`)} AND NOT starts_with(n.path, ${value(`$.${name}.`)}) AND NOT starts_with(n.path, ${value(`$.${name}[`)})`,
      ),
    ];
    return nodes(object, ` WHERE ${left.join(' AND ')}`);
  },
  memberText: (object, name) =>
    `CASE WHEN json_type(${object}, ${value(name)}) = 'VARCHAR' THEN ${object} ->> ${value(name)} END`,
  lateDigits: (timestamp) => `rtrim(regexp_extract(${timestamp}, '\\.[0-9]{6}([0-9]*)', 1), '0')`,
  array: (texts) => `to_json(list_filter([${texts.join(', ')}], lambda name: name IS NOT NULL))`,
};
