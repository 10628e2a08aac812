import type { Field, StreamSchema } from './schema.js';

/** A JSON Schema: plain data, for `JSON.stringify`. */
export type JsonSchema = { readonly [keyword: string]: unknown };

const JSON_TYPES: Record<Exclude<Field['type'], 'json'>, JsonSchema> = {
  string: { type: 'string' },
  timestamp: { type: 'string', format: 'date-time' },
  date: { type: 'string', format: 'date' },
  boolean: { type: 'boolean' },
};
const JSON_SHAPES: Record<NonNullable<Field['shape']>, JsonSchema> = {
  array: { type: 'array' },
  object: { type: 'object', additionalProperties: true },
};
const ANY_JSON: JsonSchema = { type: ['object', 'array', 'string', 'number', 'boolean'] };

/**
 * The JSON Schema (2020-12) of a stream's rows as NDJSON holds them. `format` is a note there, not a promise:
 * a timestamp is the text that the API served.
 */
export function jsonSchemaOf(schema: StreamSchema): JsonSchema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: schema.name,
    description: schema.description,
    type: 'object',
    properties: Object.fromEntries(schema.fields.map((field) => [field.name, jsonSchemaOfField(field)])),
    required: schema.fields.map((field) => field.name),
    additionalProperties: false,
  };
}

function jsonSchemaOfField({ type, shape, nullable, description }: Field): JsonSchema {
  const keywords = type === 'json' ? (shape ? JSON_SHAPES[shape] : ANY_JSON) : JSON_TYPES[type];
  return { ...keywords, ...(nullable && { type: [keywords.type, 'null'].flat() }), description };
}
