import { ProtocolError } from '../errors.js';
import type { Field } from './schema.js';

/** What JSON.parse gives. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Fields without a column of their own, under the names that the API gave them. */
export type Extra = { [key: string]: Json };

type ValueOf<F extends Pick<Field, 'type' | 'shape'>> = F['type'] extends 'boolean'
  ? boolean
  : F['type'] extends 'json'
    ? F['shape'] extends 'array'
      ? Json[]
      : Json
    : string;

/** The values of a record, by the field list of its stream: text is untouched, a missing field is null. */
export type RecordOf<F extends Pick<Field, 'name' | 'type' | 'shape' | 'nullable'>> = {
  [P in F as P['name']]: P['nullable'] extends false ? ValueOf<P> : ValueOf<P> | null;
} & {
  /** Unknown fields, and known ones whose value is of another type than it should be. */
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
  readonly fields: readonly Pick<Field, 'name' | 'type' | 'shape' | 'nullable'>[];
  /** Those of them that name a record: text, or null where the field may be null. */
  readonly key: readonly string[];
}

/** Whether a value is of a field's type. */
export function isOfType(value: Json, { type, shape }: Pick<Field, 'type' | 'shape'>): boolean {
  if (type === 'boolean') return typeof value === 'boolean';
  if (type !== 'json') return typeof value === 'string';
  if (shape === 'array') return Array.isArray(value);
  return shape === undefined || (typeof value === 'object' && value !== null && !Array.isArray(value));
}

/**
 * Makes the parser of a stream's records, from the JSON that the API serves.
 * The parser throws ProtocolError `record_not_an_object`, `record_without_key`.
 */
export function recordParser<R>({ name: stream, fields, key }: RecordList): (json: unknown) => R {
  const known = new Set(fields.map(({ name }) => name));
  const keyFields = fields.filter(({ name }) => key.includes(name));
  return (json) => {
    if (typeof json !== 'object' || json === null || Array.isArray(json)) {
      throw new ProtocolError(`The API served a record of ${stream} that is not an object.`, {
        code: 'record_not_an_object',
      });
    }
    const served = json as Extra;
    const record: Extra = {};
    const extra: Extra = {};
    for (const field of fields) {
      const { name } = field;
      const value = (Object.hasOwn(served, name) ? served[name] : null) ?? null;
      const isKnown = value !== null && isOfType(value, field);
      record[name] = isKnown ? value : null;
      if (!isKnown && value !== null) extra[name] = value;
    }
    for (const name of Object.keys(served)) {
      if (!known.has(name)) setOwn(extra, name, served[name] as Json);
    }
    for (const { name, nullable } of keyFields) {
      // A key of another type would be null here, and two records that differ in it would pass for one.
      if (nullable ? !Object.hasOwn(extra, name) : record[name] !== null && record[name] !== '') continue;
      throw new ProtocolError(
        `The API served a record of ${stream} without \`${name}\`, by which it is identified.`,
        { code: 'record_without_key' },
      );
    }
    record.extra = extra;
    return record as R;
  };
}

/**
 * A record in the form that costs least: the object that the API served, where it holds known fields only and each is of its
 * type (some may be missing, and there is no `extra`); otherwise what `recordParser` makes of it.
 */
export type CompactRecord = { readonly [name: string]: Json | undefined };

/** The two forms of a stream's records. */
export interface CompactParser<R> {
  /** @throws ProtocolError `record_not_an_object`, `record_without_key` */
  parse(json: unknown): CompactRecord;
  /** The record itself. */
  expand(record: CompactRecord): R;
}

/** Makes the parser of records that are not needed as objects of their own. */
export function compactParser<R>(list: RecordList): CompactParser<R> {
  const { fields, key } = list;
  const parse = recordParser<R>(list);
  const required = fields.filter(({ name, nullable }) => key.includes(name) && !nullable);
  // A name that every object inherits would never be missing.
  const isAnyInherited = fields.some(({ name }) => name in Object.prototype);

  const isPlain = (json: CompactRecord): boolean => {
    let unknown = 0;
    for (const _ in json) unknown += 1;
    for (const field of fields) {
      const value = json[field.name];
      if (value === undefined) continue;
      if (value !== null && !isOfType(value, field)) return false;
      unknown -= 1;
    }
    return unknown === 0 && required.every(({ name }) => Boolean(json[name])) && !isAnyInherited;
  };
  return {
    parse: (json) => (isPlain(json as CompactRecord) ? json : parse(json)) as CompactRecord,
    expand: (record) => (Object.hasOwn(record, 'extra') ? record : parse(record)) as R,
  };
}
