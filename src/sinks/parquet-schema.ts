import type { Field, FieldType, StreamSchema } from '../model/schema.js';
import { binary, boolean, i32, list, struct, type Thrift } from './thrift.js';

/** How Parquet stores each type of field: https://github.com/apache/parquet-format, `Type` and `ConvertedType`. */
interface ParquetType {
  /** The physical type. */
  readonly physical: number;
  /** What older readers look at. */
  readonly converted?: number;
  /** What newer readers look at. */
  readonly logical?: Thrift;
}

const EMPTY = struct({});
const TEXT: ParquetType = { physical: 6, converted: 0, logical: struct({ 1: EMPTY }) };

export const PARQUET_TYPES: Record<FieldType, ParquetType> = {
  string: TEXT,
  // Not `JSON`: several readers know no such type.
  json: TEXT,
  timestamp: {
    physical: 2,
    converted: 10,
    logical: struct({ 8: struct({ 1: boolean(true), 2: struct({ 2: EMPTY }) }) }), // UTC, microseconds
  },
  date: { physical: 1, converted: 6, logical: struct({ 6: EMPTY }) },
  boolean: { physical: 0 },
};

/** The schema of a file: a list that begins with its root. */
export const schemaList = ({ name, fields }: StreamSchema): Thrift =>
  list([struct({ 4: binary(name), 5: i32(fields.length) }), ...fields.map(elementOf)]);

function elementOf({ name, type, nullable }: Field): Thrift {
  const { physical, converted, logical } = PARQUET_TYPES[type];
  return struct({
    1: i32(physical),
    3: i32(nullable ? 1 : 0),
    4: binary(name),
    6: converted === undefined ? undefined : i32(converted),
    10: logical,
  });
}

/** That the bounds in statistics compare as the type says: texts by their bytes. */
export const columnOrders = ({ fields }: StreamSchema): Thrift =>
  list(fields.map(() => struct({ 1: EMPTY })));
