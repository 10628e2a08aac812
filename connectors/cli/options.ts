import type { Options } from 'yargs';
import { z } from 'zod';

/** A setting's name as a flag: `pageSize` is `--page-size`. The one place where the two spellings meet. */
export const flagName = (key: string): string =>
  key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** What a flag's value looks like, from the JSON Schema of its setting. */
interface FlagSchema {
  type?: string;
  description?: string;
  default?: unknown;
  enum?: string[];
  items?: { enum?: string[] };
}

/** The flags of a command, by setting. */
export function flagSchemas(settings: z.ZodObject): Map<string, FlagSchema> {
  const { properties = {} } = z.toJSONSchema(settings, { io: 'input', unrepresentable: 'any' });
  return new Map(Object.entries(properties as Record<string, FlagSchema>));
}

/**
 * The yargs options of a command. yargs only parses and helps: defaults and checks stay with the schema, so that a
 * flag that was not given can be told from one that was, and all mistakes can be told at once.
 */
export function yargsOptions(settings: z.ZodObject): Record<string, Options> {
  const options: Record<string, Options> = {};
  for (const [key, { type, description = '', default: preset, enum: choices, items }] of flagSchemas(
    settings,
  )) {
    const known = choices ?? items?.enum;
    options[flagName(key)] = {
      type: type === 'boolean' ? 'boolean' : 'string',
      array: type === 'array',
      requiresArg: type !== 'boolean',
      describe: known ? `${description} [${known.join(', ')}]` : description,
      ...(preset !== undefined && preset !== false && { defaultDescription: [preset].flat().join(' ') }),
    };
  }
  return options;
}

/** A flag's text as the type of its setting; what does not fit is left for the schema to refuse. */
export function parseFlag({ type }: FlagSchema, value: unknown): unknown {
  const isNumber = (type === 'number' || type === 'integer') && typeof value === 'string';
  if (!isNumber || value.trim() === '' || Number.isNaN(Number(value))) return value;
  return Number(value);
}
