import type { Row } from '../../src/model/rows.js';
import type { StreamSchema } from '../../src/model/schema.js';
import { parseTimestamp } from '../../src/model/timestamp.js';
import { decodeFile } from '../../src/sinks/index.js';
import type { Sink } from '../../src/sinks/sink.js';
import { isText } from './expected.js';

/** A file's bytes as a storage gives them: in pieces that end anywhere. */
export async function* inPieces(bytes: Uint8Array, size = bytes.length): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

interface File {
  sink: Sink;
  schema: StreamSchema;
  bytes: AsyncIterable<Uint8Array>;
}

/** The batches of a file's rows. */
export const batchesOf = ({ sink: { format, extension }, schema, bytes }: File) =>
  decodeFile({ format, path: `part.${extension}`, schema, bytes });

/** All rows of a file. */
export async function decoded(file: File): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const batch of batchesOf(file)) rows.push(...batch);
  return rows;
}

/** A row as it comes back: where a typed column holds an instant exactly, it is spelled in UTC. */
export function spelled(row: Row, { fields }: StreamSchema, format: string): Row {
  if (isText(format)) return row;
  const instants = fields.filter(({ type }) => type === 'timestamp').map(({ name }) => name);
  return { ...row, ...Object.fromEntries(instants.map((name) => [name, inUtc(row[name])])) };
}

function inUtc(value: Row[string] | undefined): Row[string] {
  const timestamp = typeof value === 'string' ? parseTimestamp(value) : null;
  if (!timestamp?.exact) return value ?? null;
  const { micros } = timestamp;
  const fraction = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const second = new Date(Number((micros - fraction) / 1000n)).toISOString().slice(0, -5);
  // A year that has no four digits in UTC is spelled with an offset: the instant is compared.
  if (/^[+-]/.test(second)) return `${micros} microseconds since 1970`;
  return fraction === 0n ? `${second}Z` : `${second}.${String(fraction).padStart(6, '0')}Z`;
}
