import type { Json } from '../model/records.js';
import type { Row } from '../model/rows.js';
import { EXTRA } from '../model/schema.js';
import type { Stream } from '../streams/stream.js';

/** Which record a row is, for programs and for people. */
export interface RecordIdentity {
  stream: string;
  /** The organisation that it is in, if it is in one. */
  organization_uuid: string | null;
  key: { [column: string]: Json };
  /** Its e-mail address or its name. */
  label: string | null;
}

/** Tells the records of a stream from each other, and from what the connector adds to them. */
export function recordIdentity({ name: stream, schema, fields }: Stream) {
  const labels = [...fields.filter(({ personal }) => personal === 'email').map(({ name }) => name), 'name'];
  const served = schema.fields.filter(({ origin, name }) => origin === 'api' || name === EXTRA.name);
  const isText = (value: unknown): value is string => typeof value === 'string';
  return {
    identityOf: (row: Row): RecordIdentity => ({
      stream,
      organization_uuid: (row[ORGANIZATION] as string | undefined) ?? null,
      key: Object.fromEntries(schema.primaryKey.map((column) => [column, row[column] ?? null])),
      label: labels.map((column) => row[column]).find(isText) ?? null,
    }),
    /** What the API served of it. */
    recordOf: (row: Row): { [column: string]: Json } =>
      Object.fromEntries(served.map(({ name }) => [name, row[name] ?? null])),
  };
}

const ORGANIZATION = 'organization_uuid';
