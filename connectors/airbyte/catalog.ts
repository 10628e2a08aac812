import { z } from 'zod';
import { ConfigError, type Field, type StreamSchema } from '../../src/index.js';
import type { Message } from './messages.js';
import type { SourceStream } from './stream.js';
import { streams } from './streams.js';

const JSON_TYPES = {
  string: { type: 'string' },
  timestamp: { type: 'string', format: 'date-time', airbyte_type: 'timestamp_with_timezone' },
  date: { type: 'string', format: 'date' },
  json: { type: 'object', additionalProperties: true },
} as const satisfies Record<Field['type'], { type: string; [keyword: string]: unknown }>;

/** What can be read. A full refresh goes on where it was cut off, so it is resumable; there is no incremental one. */
export const catalogMessage = (): Message => ({
  type: 'CATALOG',
  catalog: {
    streams: streams.map(({ schema }) => ({
      name: schema.name,
      json_schema: jsonSchema(schema),
      supported_sync_modes: ['full_refresh'],
      source_defined_cursor: true,
      source_defined_primary_key: schema.primaryKey.map((name) => [name]),
      is_resumable: true,
    })),
  },
});

function jsonSchema({ description, fields }: StreamSchema): object {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    description,
    additionalProperties: true,
    properties: Object.fromEntries(
      fields.map(({ name, type, nullable, description }) => {
        const { type: jsonType, ...keywords } = JSON_TYPES[type];
        return [name, { type: nullable ? ['null', jsonType] : jsonType, ...keywords, description }];
      }),
    ),
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
  stream: SourceStream | undefined;
}

/**
 * The streams of a configured catalog, in its order.
 * @throws ConfigError `catalog_invalid`
 */
export function parseCatalog(json: unknown): ConfiguredStream[] {
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
    stream: select(
      streams.find(({ schema }) => schema.name === name),
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

/** The stream with the selected columns. A schema without columns is no selection, and the key always is selected. */
function select(
  stream: SourceStream | undefined,
  columns: Readonly<Record<string, unknown>> | null | undefined,
): SourceStream | undefined {
  if (!stream || !columns || Object.keys(columns).length === 0) return stream;
  const { schema } = stream;
  const isSelected = ({ name }: Field) => Object.hasOwn(columns, name) || schema.primaryKey.includes(name);
  return { ...stream, schema: { ...schema, fields: schema.fields.filter(isSelected) } };
}
