/**
 * One field list per stream. The JSON Schema, the Arrow and Parquet schemas, the CSV header and the DDL are
 * all made from it, so nothing about a column is written down twice.
 */

/** `timestamp`: an instant, microseconds, UTC. `date`: a day. `json`: an object, as JSON text where a format has no such type. */
export type FieldType = 'string' | 'timestamp' | 'date' | 'json';

export interface Field {
  readonly name: string;
  readonly type: FieldType;
  /** Whether null may stand there; a missing value is null. */
  readonly nullable: boolean;
  /** A sentence for schema outputs and column comments. */
  readonly description: string;
  /** Where the value comes from: a field the API serves, or one that the connector adds. */
  readonly origin: 'api' | 'connector';
}

/** The columns of one stream, in the order of the files. */
export interface StreamSchema {
  /** The stream's name, which is the table's too. */
  readonly name: string;
  readonly description: string;
  readonly fields: readonly Field[];
  /** The fields that together name a row. */
  readonly primaryKey: readonly string[];
}

/** Goes up when a column is added; columns are only ever appended. */
export const SCHEMA_VERSION = 1;

const api = (name: string, description: string, more: Partial<Field> = {}): Field => ({
  name,
  type: 'string',
  nullable: true,
  description,
  origin: 'api',
  ...more,
});

const added = (name: string, description: string, more: Partial<Field> = {}): Field => ({
  ...api(name, description, more),
  origin: 'connector',
});

const SNAPSHOT_DATE = added('snapshot_date', 'The run date of the snapshot this row belongs to (UTC).', {
  type: 'date',
  nullable: false,
});
const EXTRA = added(
  'extra',
  'Every field the API served that has no column of its own; null when there is none.',
  {
    type: 'json',
  },
);

/** The organisations that the key covers, in the order served: by creation date, ascending. */
export const organizationsSchema: StreamSchema = {
  name: 'organizations',
  description: 'The Claude organisations linked under the parent organisation that the key covers.',
  primaryKey: ['uuid'],
  fields: [
    api('uuid', 'The canonical id of the organisation.', { nullable: false }),
    api('name', 'The name of the organisation.'),
    api('created_at', 'When the organisation was created.', { type: 'timestamp' }),
    SNAPSHOT_DATE,
    EXTRA,
  ],
};

/** The current members of every organisation; one person may be a member of several. */
export const usersSchema: StreamSchema = {
  name: 'users',
  description: 'The current members of each organisation; one row a membership.',
  primaryKey: ['organization_uuid', 'id'],
  fields: [
    added('organization_uuid', 'The organisation that this row is a membership of.', { nullable: false }),
    api('id', 'The tagged id of the user (user_…): stable when the e-mail or the name changes.', {
      nullable: false,
    }),
    api('full_name', 'The full name of the user.'),
    api('email', 'The e-mail address of the user.'),
    api('organization_role', 'The role within this organisation: an open list.'),
    api('created_at', 'When the account was created (not when the user joined the organisation).', {
      type: 'timestamp',
    }),
    SNAPSHOT_DATE,
    EXTRA,
  ],
};
