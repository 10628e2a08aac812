import { isUtf8 } from 'node:buffer';
import { SinkError } from '../errors.js';
import { isOfType, type Json } from '../model/records.js';
import type { Field } from '../model/schema.js';

/** A file that the sink of its format would not have written; what it says is not quoted. */
export const unreadable = (what: string): SinkError =>
  new SinkError(`A file is damaged, or was not written by this connector: it has ${what}.`, {
    code: 'file_unreadable',
  });

/** A value that a file holds. @throws SinkError `file_unreadable` when it is none of the field */
export function decodedValue(value: Json, field: Field): Json {
  if (value === null ? field.nullable : isOfType(value, field)) return value;
  throw unreadable(
    value === null ? `no \`${field.name}\` in a row` : `another type of value in \`${field.name}\``,
  );
}

/** @throws SinkError `file_unreadable`: the error of `JSON.parse` would quote the text */
export function parseJson(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw unreadable('a JSON text that is not valid');
  }
}

/** @throws SinkError `file_unreadable`: bytes that are no UTF-8 would become other characters */
export function expectUtf8(bytes: Uint8Array): void {
  if (!isUtf8(bytes)) throw unreadable('a text that is not UTF-8');
}
