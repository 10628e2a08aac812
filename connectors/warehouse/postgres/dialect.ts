import type { Dialect } from '../ddl.js';
import { standardQuoting } from '../sql.js';
import { postgresHistory } from './history-functions.js';

/**
 * PostgreSQL's spelling. `json`, not `jsonb`: it keeps the text, so the order of the fields, a name that is there
 * twice and every digit of a number.
 */
export const postgresDialect: Dialect = {
  quoting: standardQuoting,
  comments: 'statements',
  primaryKey: '',
  types: {
    string: 'text',
    timestamp: 'timestamptz',
    date: 'date',
    json: 'json',
    count: 'bigint',
    boolean: 'boolean',
  },
  elements: (array) => ({
    from: `CROSS JOIN LATERAL json_array_elements(${array}) AS e(element)`,
    text: `CASE WHEN json_typeof(e.element) = 'string' THEN e.element #>> '{}' END`,
  }),
  inlined: 'NOT MATERIALIZED ',
  history: postgresHistory,
};
