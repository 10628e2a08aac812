import { athena } from './athena.js';
import { bigquery } from './bigquery.js';
import { clickhouse } from './clickhouse.js';
import { databricks, spark } from './databricks.js';
import { redshift } from './redshift.js';
import type { ScriptDialect } from './script.js';
import { snowflake } from './snowflake.js';

/** Every warehouse that a script can be written for; a new one is a file and a line. */
export const dialects: readonly ScriptDialect[] = [
  snowflake,
  bigquery,
  databricks,
  redshift,
  athena,
  clickhouse,
  spark,
];

export const dialectNames = dialects.map(({ name }) => name);
