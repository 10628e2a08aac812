import type { RecordOf } from '../model/records.js';
import { EXTRA, type Field, type PersonalKind, SNAPSHOT_DATE, type StreamSchema } from '../model/schema.js';

/** The values of the columns that name a list's parents: `{ organization_uuid: '…' }`; empty for a list of its own. */
export type ParentKey = Readonly<Record<string, string>>;

/** Whose list it is, where there is one list for each record of another stream. */
export interface Parent {
  readonly stream: Stream;
  /** The column of ours that holds the parent's key. */
  readonly column: string;
  readonly description: string;
  /** The key of the folder that a parent's files are in: `org_uuid` makes `org_uuid=…`. */
  readonly folder: string;
}

/** Where every record of another stream has the same list: it is read once, through any one of them. */
export interface Through {
  readonly stream: Stream;
  /** The placeholder in the path that its key fills. */
  readonly column: string;
}

/** What the author of a stream writes down; everything else is derived from it. */
export interface StreamDescription {
  /** Its name is the table's too. */
  readonly name: string;
  /** A sentence for schemas and catalogues. */
  readonly description: string;
  /** The scope that a key needs for it. */
  readonly scope: string;
  /** With the parents' columns in braces: `/v1/compliance/organizations/{organization_uuid}/users`. */
  readonly path: string;
  /** Whether `limit` is sent; some contracts refuse it, and the server's default is then the most there is. */
  readonly sendsLimit: boolean;
  /** The member of an answer that holds the records; default `data`. */
  readonly list?: string;
  readonly parent?: Parent;
  readonly through?: Through;
  /** Whether the API may not serve it at all: a 404 is then no failure, where the parent is still listed. */
  readonly mayBeOff?: boolean;
  /** What the API serves. The parents' keys, `snapshot_date` and `extra` are added. */
  readonly fields: readonly Field[];
  /** The fields that name a record within its list; duplicates are dropped by it. */
  readonly key: readonly string[];
  /** Read unless other streams are asked for; without it a snapshot is not complete. */
  readonly isDefault?: boolean;
  /** Whether a record that leaves one list and comes into another is the same: a person who changes the organisation. */
  readonly movesBetweenLists?: boolean;
  /** Whether each record allows somebody something: one more is more privilege. */
  readonly isGrant?: boolean;
  /** Whether a snapshot with far fewer rows than the one before is refused. */
  readonly isGuarded?: boolean;
}

/** One kind of record that the API lists. Plain data: everything that differs between streams is in here. */
export interface Stream extends StreamDescription {
  /** The columns of its table, and its key. */
  readonly schema: StreamSchema;
}

/** Completes the description of a stream by what follows from it. */
export function defineStream<const D extends StreamDescription>(
  description: D,
): D & { readonly schema: StreamSchema } {
  const { name, description: sentence, parent, fields, key } = description;
  const parents = parent ? [...parentFields(parent.stream), parentField(parent)] : [];
  const schema = {
    name,
    description: sentence,
    fields: [...parents, ...fields, SNAPSHOT_DATE, EXTRA],
    primaryKey: [...parents.map((field) => field.name), ...key],
  };
  return { ...description, schema };
}

/** The record of a stream, as the API served it. */
export type StreamRecord<S extends Pick<Stream, 'fields'>> = RecordOf<S['fields'][number]>;

const parentField = ({ column, description }: Parent): Field => ({
  name: column,
  type: 'string',
  nullable: false,
  description,
  origin: 'connector',
});

const parentFields = ({ parent }: Stream): Field[] =>
  parent ? [...parentFields(parent.stream), parentField(parent)] : [];

/** The key of a record by which its own lists are requested. */
export const ownKey = ({ key }: Pick<Stream, 'key'>, record: object): string =>
  String((record as Record<string, unknown>)[key.at(-1) ?? '']);

/** The keys of a stream's lists, from those of its parent's records. */
export const parentKeys = (stream: Stream, parent: ParentKey, keys: readonly string[]): ParentKey[] =>
  keys.map((key) => ({ ...parent, [stream.parent?.column ?? '']: key }));

/** What is read right before a stream: its parent, or what it is read through. */
export const aboveOf = ({ parent, through }: Stream): Through | undefined => parent ?? through;

/** The streams that are read before one, the topmost first. */
export function ancestorsOf(stream: Stream): Stream[] {
  const above = aboveOf(stream)?.stream;
  return above ? [...ancestorsOf(above), above] : [];
}

/** The folder of a list's own files below the folder of a run date: `org_uuid=…/`, or nothing. */
export function folderOf(stream: Stream, parent: ParentKey): string {
  return [...ancestorsOf(stream), stream]
    .flatMap(({ parent: above }) => (above ? [`${above.folder}=${parent[above.column]}/`] : []))
    .join('');
}

/** A parent key as text: unique within a stream, and the order in which combined files are sorted. */
export const keyText = (parent: ParentKey): string => Object.values(parent).join('/');

/** A field of text. */
export const text = <const N extends string>(name: N, description: string) =>
  ({ name, type: 'string', nullable: true, description, origin: 'api' }) as const;

/** A field of text that every record has. */
export const requiredText = <const N extends string>(name: N, description: string) =>
  ({ ...text(name, description), nullable: false }) as const;

/** A field of text that names a person. */
export const personal = <const N extends string>(kind: PersonalKind, name: N, description: string) =>
  ({ ...text(name, description), personal: kind }) as const;

/** A field that holds the id of a user. */
export const userId = <const F extends Field>(field: F) => ({ ...field, isUserId: true }) as const;

/** The column that says which user a row is about; undefined where rows are about something else. */
export const userColumn = ({ fields, key }: Pick<Stream, 'fields' | 'key'>): string | undefined =>
  fields.find(({ name, isUserId }) => isUserId && key.includes(name))?.name;

/** A field of text whose known values have ranks: those of each are more privilege than those before. */
export const ranked = <const N extends string>(ranks: Field['ranks'], name: N, description: string) =>
  ({ ...text(name, description), ranks }) as const;

/** True or false. */
export const boolean = <const N extends string>(name: N, description: string) =>
  ({ ...text(name, description), type: 'boolean' }) as const;

/** Any JSON value. */
export const json = <const N extends string>(name: N, description: string) =>
  ({ ...text(name, description), type: 'json' }) as const;

/** A list of JSON values. */
export const jsonArray = <const N extends string>(name: N, description: string) =>
  ({ ...json(name, description), shape: 'array' }) as const;

/** A field whose null means that the API did not say, and never that there is none. */
export const notNone = <const F extends Field>(field: F) => ({ ...field, isNullUnknown: true }) as const;

/** An instant: RFC 3339, as served. */
export const timestamp = <const N extends string>(name: N, description: string) =>
  ({ ...text(name, description), type: 'timestamp' }) as const;
