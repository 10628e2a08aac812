import { expect } from 'vitest';

/** Given how many users a day has, in all organisations or in the first: results by the name of a trap. */
type Results = (members: (of?: 'the first organisation') => number) => Record<string, unknown>;

const LIKE = (pattern: RegExp): unknown => expect.stringMatching(pattern);

/** By reader: the results of what the documentation warns of, where only one day was not compacted. The numbers are its. */
export const TRAPS: Record<string, Results> = {
  duckdb: (members) => ({
    'a fixed depth': members(),
    'run_date as a key': LIKE(/not found in FROM clause/),
    'run_date as a key of Hive': LIKE(/Hive partition mismatch/),
    'org_uuid as a key': LIKE(/not found in FROM clause/),
    'org_uuid as a key of Hive': LIKE(/Hive partition mismatch/),
  }),
  pyarrow: (members) => ({
    'org_uuid as a key': members('the first organisation'),
    'org_uuid with the schema': LIKE(/No match for FieldRef.Name\(org_uuid\)/),
  }),
  pandas: (members) => ({
    'the root has more rows than the table': 1,
    'org_uuid as a key': members('the first organisation'),
  }),
  polars: () => ({
    plain: LIKE(/^(SchemaFieldNotFound|Shape)Error/),
    'org_uuid as a key': LIKE(/^(SchemaFieldNotFound|Shape)Error/),
  }),
  chdb: () => ({
    'org_uuid as a key': LIKE(/Unknown expression .*`org_uuid`|'org_uuid' .* to have \d+ rows/),
  }),
  spark: (members) => ({
    plain: LIKE(/CONFLICTING_PARTITION_COLUMN_NAMES/),
    'org_uuid as a key': LIKE(/CONFLICTING_PARTITION_COLUMN_NAMES/),
    'a table by both keys': members(),
  }),
};
