import type { Dialect } from '../ddl.js';
import { standardQuoting } from '../sql.js';
import { duckdbHistory } from './history-functions.js';

/** DuckDB's spelling. Without keys: their index costs more than the load, which checks them once itself. */
export const duckdbDialect: Dialect = {
  quoting: standardQuoting,
  comments: 'statements',
  types: {
    string: 'VARCHAR',
    timestamp: 'TIMESTAMP WITH TIME ZONE',
    date: 'DATE',
    json: 'JSON',
    count: 'BIGINT',
    boolean: 'BOOLEAN',
  },
  elements: (array) => ({
    from: `CROSS JOIN unnest(CAST(${array} AS JSON[])) AS e(element)`,
    text: `CASE WHEN json_type(e.element) = 'VARCHAR' THEN json_extract_string(e.element, '$') END`,
  }),
  inlined: 'NOT MATERIALIZED ',
  history: duckdbHistory,
};
