import type { Dialect } from '../ddl.js';
import { standardQuoting } from '../sql.js';

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
};
