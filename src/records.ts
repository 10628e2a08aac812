import { ProtocolError } from './errors.js';
import { organizationsSchema, type StreamSchema, usersSchema } from './schema.js';

/** What JSON.parse gives. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Fields without a column of their own, under the names that the API gave them. */
export type Extra = { [key: string]: Json };

/** An organisation as the API served it; text fields are untouched, missing ones are null. */
export interface Organization {
  uuid: string;
  name: string | null;
  /** RFC 3339, as served. */
  created_at: string | null;
  /** Unknown fields, and known ones that are not the text they should be. */
  extra: Extra;
}

/** A member of one organisation as the API served it; text fields are untouched, missing ones are null. */
export interface User {
  /** `user_…`; within one organisation it names the membership. */
  id: string;
  full_name: string | null;
  email: string | null;
  /** An open list: `admin`, `developer`, `owner`, … */
  organization_role: string | null;
  /** Creation of the account, RFC 3339, as served. */
  created_at: string | null;
  /** Unknown fields, and known ones that are not the text they should be. */
  extra: Extra;
}

/** A user of a stream over several organisations. */
export interface OrganizationUser extends User {
  organization_uuid: string;
}

/** Sets an own property even for `__proto__`, where a plain assignment would set the prototype. */
export function setOwn<T>(target: { [key: string]: T }, key: string, value: T): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    target[key] = value;
  }
}

/** Makes the parser of a stream's records from its field list. */
function recordParser<R>(schema: StreamSchema, what: string, key: string): (json: unknown) => R {
  const names = schema.fields.filter((field) => field.origin === 'api').map((field) => field.name);
  const known = new Set(names);
  return (json) => {
    if (typeof json !== 'object' || json === null || Array.isArray(json)) {
      throw new ProtocolError(`The API served ${what} that is not an object.`, {
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
    if (typeof record[key] !== 'string' || record[key] === '') {
      throw new ProtocolError(`The API served ${what} without \`${key}\`, by which it is known.`, {
        code: 'record_without_key',
      });
    }
    record.extra = extra;
    return record as R;
  };
}

/**
 * An organisation from the JSON that the API serves.
 * @throws ProtocolError `record_not_an_object`, `record_without_key`
 */
export const parseOrganization: (json: unknown) => Organization = recordParser(
  organizationsSchema,
  'an organisation',
  'uuid',
);

/**
 * A user from the JSON that the API serves.
 * @throws ProtocolError `record_not_an_object`, `record_without_key`
 */
export const parseUser: (json: unknown) => User = recordParser(usersSchema, 'a user', 'id');
