import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { beforeAll, describe, expect, it } from 'vitest';
import { clientSettings } from '../../src/index.js';
import { run } from './harness.js';
import { only } from './protocol.js';

type Schema = { [keyword: string]: unknown };
let spec: { properties: Record<string, Schema>; required: string[] } & Schema;

beforeAll(async () => {
  const { exitCode, messages } = await run(['spec']);
  expect(exitCode).toBe(0);
  expect(messages).toHaveLength(1);
  spec = only(messages, 'SPEC')[0]?.spec.connectionSpecification as typeof spec;
});

/** Every keyword of a schema, at any depth. */
function keywords(schema: unknown): string[] {
  if (Array.isArray(schema)) return schema.flatMap(keywords);
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([key, value]) => [key, ...keywords(value)]);
}

describe('the specification', () => {
  it('has a setting for each of the client and one of its own, in snake_case', () => {
    const names = Object.keys(clientSettings.shape).map((name) =>
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    );
    expect(Object.keys(spec.properties)).toEqual([...names, 'concurrency']);
    expect(names).toContain('requests_per_minute');
    expect(spec.required).toEqual(['api_key']);
  });

  it('uses none of the keywords that the platform refuses', () => {
    const refused = [
      ...['not', 'anyOf', 'oneOf', 'allOf', 'if', 'then', 'else', '$ref', 'patternProperties', 'prefixItems'],
      ...['dependentSchemas', 'dependentRequired', 'additionalProperties', 'secret'],
    ];
    expect(keywords(spec).filter((keyword) => refused.includes(keyword))).toEqual([]);
  });

  it('marks the key as a secret, and nothing else', () => {
    const secrets = Object.entries(spec.properties).filter(
      ([, property]) => property.airbyte_secret === true,
    );
    expect(secrets.map(([name]) => name)).toEqual(['api_key']);
  });

  it('gives each setting one type, a title, a description, examples and a place of its own', () => {
    for (const property of Object.values(spec.properties)) {
      expect(['string', 'integer', 'number', 'boolean']).toContain(property.type);
      expect(property.title).toMatch(/./);
      expect(property.description).toMatch(/./);
      expect(property.examples).not.toEqual([]);
    }
    const orders = Object.values(spec.properties).map(({ order }) => order);
    expect(orders).toEqual(orders.map((_, at) => at));
  });

  it('is a JSON Schema that takes its own defaults and examples', () => {
    const ajv = new Ajv({ keywords: ['airbyte_secret', 'order'], useDefaults: true });
    formats.default(ajv);
    const validate = ajv.compile(spec);
    const config = { api_key: 'sk-ant-api01-x' };
    expect(validate(config)).toBe(true);
    expect(config).toMatchObject({ page_size: 1000, base_url: 'https://api.anthropic.com', concurrency: 8 });
    expect(validate({ ...config, page_size: 1001 })).toBe(false);
    for (const [name, { examples }] of Object.entries(spec.properties)) {
      if (name === 'api_key') continue; // its example is shortened, so that nobody takes it for a key
      for (const example of examples as unknown[]) {
        expect(validate({ ...config, [name]: example })).toBe(true);
      }
    }
  });
});
