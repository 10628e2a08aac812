import { createHmac } from 'node:crypto';
import { ConfigError } from '../errors.js';
import { textOf } from '../raw-text.js';
import { type ColumnBatch, columnBatch } from './batch.js';
import type { Json } from './records.js';
import type { Row, Value } from './rows.js';
import { EXTRA, type Field, type PersonalKind, type StreamSchema } from './schema.js';

/** What pseudonyms are made of. */
export interface PseudonymOptions {
  /** The secret: whoever has it can find the person for a pseudonym. At least 32 bytes. */
  key: Uint8Array;
  /** The columns whose texts are replaced, in every stream that has them: of those that name a person. */
  columns: readonly string[];
  /** Whether the domain of an e-mail address stays readable: `…@example.com`. Default false. */
  keepDomain?: boolean;
}

/** What a manifest says of pseudonyms; the key cannot be found from it. */
export interface PseudonymScheme {
  columns: string[];
  /** The same for the same key. */
  key_id: string;
  keep_domain: boolean;
}

/** Replaces what names a person by keyed pseudonyms: the same person has the same one every day, in every table. */
export interface Pseudonyms {
  readonly scheme: PseudonymScheme;
  /** The pseudonym of one text. */
  of(kind: PersonalKind, text: string): string;
  /** A digest that only who has the key can compare with a guess. */
  digest(text: string): string;
  /** A batch of a stream with pseudonyms in it, and in every text of its `extra`; the same batch where no column is replaced. */
  batch(batch: ColumnBatch): ColumnBatch;
  /** The same for rows that were read. Those of a table with pseudonyms in `present` have them there, and in their `extra`, already. */
  rows(schema: StreamSchema, rows: readonly Row[], present: readonly string[]): readonly Row[];
}

const KEY_BYTES = 32;
/** What a domain may look like to stay readable: anything else might hold more than a domain. */
const DOMAIN = /@([a-z0-9-]+(?:\.[a-z0-9-]+)+)$/;

/** @throws ConfigError `pseudonym_key_short` */
export function createPseudonyms({ key, columns, keepDomain = false }: PseudonymOptions): Pseudonyms {
  if (key.length < KEY_BYTES) {
    throw new ConfigError(
      `The key for pseudonyms is shorter than ${KEY_BYTES} characters. Make one: openssl rand -hex 32.`,
      { code: 'pseudonym_key_short' },
    );
  }
  const keyed = (use: string, text: string): string =>
    createHmac('sha256', key).update(`${use}\0`).update(text).digest('hex');
  const of = (kind: PersonalKind, text: string): string => {
    const normal = normalised(kind, text);
    if (normal === '') return ''; // it names nobody, and must not look like one person
    const [domain = ''] = (kind === 'email' && keepDomain && DOMAIN.exec(normal)) || [];
    return keyed(kind, normal) + domain;
  };
  const inExtra = (json: Json): Json => {
    if (typeof json === 'string') return keyed('extra', json.normalize());
    if (Array.isArray(json)) return json.map(inExtra);
    if (typeof json !== 'object' || json === null) return json;
    return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, inExtra(value)]));
  };
  const replacing = (field: Field, isRaw: boolean): ((value: Value) => Value) | undefined => {
    const { name, personal } = field;
    if (name === EXTRA.name) return inExtra;
    if (!personal || !columns.includes(name)) return undefined;
    return (value) =>
      value === null ? null : of(personal, isRaw ? textOf(value as string) : (value as string));
  };
  return {
    scheme: {
      columns: [...columns].sort(),
      key_id: keyed('key', 'id').slice(0, 16),
      keep_domain: keepDomain,
    },
    of,
    digest: (text) => keyed('digest', text),
    batch(batch) {
      const { schema, isRaw } = batch;
      if (!isPersonal(schema, columns)) return batch;
      const replaced = schema.fields.map((field, i) => {
        const values = batch.columns[i] as readonly Value[];
        const replace = replacing(field, isRaw);
        return replace ? values.map(replace) : values;
      });
      return columnBatch({ ...batch, columns: replaced });
    },
    rows(schema, rows, present) {
      if (!isPersonal(schema, columns)) return rows;
      const done = isPersonal(schema, present) ? [...present, EXTRA.name] : present;
      const replacements = schema.fields.flatMap((field) => {
        const replace = done.includes(field.name) ? undefined : replacing(field, false);
        return replace ? [[field.name, replace] as const] : [];
      });
      return rows.map((row) => {
        const replaced = { ...row };
        for (const [name, replace] of replacements) replaced[name] = replace(row[name] ?? null);
        return replaced;
      });
    },
  };
}

/** Whether a table has one of the columns, which name a person. */
export const isPersonal = ({ fields }: StreamSchema, columns: readonly string[]): boolean =>
  fields.some(({ name, personal }) => personal !== undefined && columns.includes(name));

/** Texts that a person would call the same have the same pseudonym. */
function normalised(kind: PersonalKind, text: string): string {
  const composed = text.normalize().trim();
  return kind === 'email' ? composed.toLowerCase() : composed;
}
