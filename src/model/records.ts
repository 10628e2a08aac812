import { ProtocolError } from '../errors.js';
import type { Field } from './schema.js';

/** What JSON.parse gives. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Fields without a column of their own, under the names that the API gave them. */
export type Extra = { [key: string]: Json };

/** The values of a record, by the field list of its stream: text is untouched, a missing field is null. */
export type RecordOf<F extends Pick<Field, 'name' | 'nullable'>> = {
  [P in F as P['name']]: P['nullable'] extends false ? string : string | null;
} & {
  /** Unknown fields, and known ones that are not the text they should be. */
  extra: Extra;
};

/** Sets an own property even for `__proto__`, where a plain assignment would set the prototype. */
export function setOwn<T>(target: { [key: string]: T }, key: string, value: T): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    target[key] = value;
  }
}

/** What a parser of records is made from. */
export interface RecordList {
  /** The stream's name, for messages. */
  readonly name: string;
  /** The fields that the API serves. */
  readonly fields: readonly Pick<Field, 'name'>[];
  /** Those of them that every record must have. */
  readonly key: readonly string[];
}

/**
 * Makes the parser of a stream's records, from the JSON that the API serves.
 * The parser throws ProtocolError `record_not_an_object`, `record_without_key`.
 */
export function recordParser<R>({ name: stream, fields, key }: RecordList): (json: unknown) => R {
  const names = fields.map(({ name }) => name);
  const known = new Set(names);
  return (json) => {
    if (typeof json !== 'object' || json === null || Array.isArray(json)) {
      throw new ProtocolError(`The API served a record of ${stream} that is not an object.`, {
        code: 'record_not_an_object',
      });
    }
    const served = json as Extra;
    const record: Extra = {};
    const extra: Extra = {};
    for (const name of names) {
      const value = Object.hasOwn(served, name) ? served[name] : null;
      record[name] = typeof value === 'string' ? value : null;
      if (typeof value !== 'string' && value !== null && value !== undefined) extra[name] = value;
    }
    for (const name of Object.keys(served)) {
      if (!known.has(name)) setOwn(extra, name, served[name] as Json);
    }
    for (const name of key) {
      if (typeof record[name] === 'string' && record[name] !== '') continue;
      throw new ProtocolError(
        `The API served a record of ${stream} without \`${name}\`, by which it is identified.`,
        { code: 'record_without_key' },
      );
    }
    record.extra = extra;
    return record as R;
  };
}
