import { z } from 'zod';
import { ConfigError, type Field, jsonSchemaOf, type Stream, type StreamSchema } from '../../src/index.js';
import type { Message } from './messages.js';
import { hasRecordKey, keyColumns, RECORD_KEY } from './record-key.js';

/**
 * What can be read. An interrupted full refresh is resumed where it was, so it is resumable; there is no
 * incremental one.
 */
export const catalogMessage = (streams: readonly Stream[]): Message => ({
  type: 'CATALOG',
  catalog: {
    streams: streams.map((stream) => ({
      name: stream.name,
      json_schema: catalogSchema(stream),
      supported_sync_modes: ['full_refresh'],
      source_defined_cursor: true,
      source_defined_primary_key: keyColumns(stream).map((name) => [name]),
      is_resumable: true,
    })),
  },
});

/** JSON of any shape is sent as JSON text: a column of a destination has one type. */
export const isSentAsText = ({ type, shape }: Field): boolean => type === 'json' && shape === undefined;

/** Airbyte's dialect of JSON Schema: draft 7, a type of its own for an instant, and no value of several types. */
function catalogSchema(stream: Stream): object {
  const { schema } = stream;
  const asText = schema.fields.filter(isSentAsText).map(({ name }) => name);
  const { type, description, properties } = jsonSchemaOf(schema) as {
    [keyword: string]: unknown;
    properties: Readonly<Record<string, { format?: string; description: string }>>;
  };
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    type,
    description,
    additionalProperties: true,
    properties: {
      ...Object.fromEntries(
        Object.entries(properties).map(([name, property]) => {
          if (property.format === 'date-time')
            return [name, { ...property, airbyte_type: 'timestamp_with_timezone' }];
          if (!asText.includes(name)) return [name, property];
          return [
            name,
            { type: ['string', 'null'], description: `${property.description} Sent as JSON text.` },
          ];
        }),
      ),
      ...(hasRecordKey(stream) && {
        [RECORD_KEY.name]: { type: 'string', description: RECORD_KEY.description },
      }),
    },
  };
}

const configuredCatalog = z.object({
  streams: z
    .array(
      z.object({
        stream: z.object({
          name: z.string(),
          json_schema: z.object({ properties: z.record(z.string(), z.unknown()).nullish() }).nullish(),
        }),
        sync_mode: z.string(),
      }),
    )
    .min(1),
});

/** One stream as it is asked for. */
export interface ConfiguredStream {
  name: string;
  syncMode: string;
  /** Undefined: there is no such stream. */
  selection: Selection | undefined;
}

/** A stream, and the columns of it that are asked for. */
export interface Selection {
  stream: Stream;
  schema: StreamSchema;
}

/**
 * The streams of a configured catalog, in its order.
 * @throws ConfigError `catalog_invalid`
 */
export function parseCatalog(json: unknown, streams: readonly Stream[]): ConfiguredStream[] {
  const parsed = configuredCatalog.safeParse(json);
  if (!parsed.success) {
    const mistakes = parsed.error.issues.map(({ path, message }) => `\`${path.join('.')}\`: ${message}`);
    throw new ConfigError(`The configured catalog is not valid. ${mistakes.slice(0, 5).join('; ')}.`, {
      code: 'catalog_invalid',
    });
  }
  const asked = parsed.data.streams.map(({ stream: { name, json_schema }, sync_mode }) => ({
    name,
    syncMode: sync_mode,
    selection: select(
      streams.find((stream) => stream.name === name),
      json_schema?.properties,
    ),
  }));
  const names = asked.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) {
    throw new ConfigError(`The configured catalog asks twice for the stream \`${twice}\`.`, {
      code: 'catalog_invalid',
    });
  }
  return asked;
}

/** A schema without columns is no selection, and the key is always selected. */
function select(
  stream: Stream | undefined,
  columns: Readonly<Record<string, unknown>> | null | undefined,
): Selection | undefined {
  if (!stream) return undefined;
  const { schema } = stream;
  if (!columns || Object.keys(columns).length === 0) return { stream, schema };
  const isSelected = ({ name }: Field) => Object.hasOwn(columns, name) || schema.primaryKey.includes(name);
  return { stream, schema: { ...schema, fields: schema.fields.filter(isSelected) } };
}
