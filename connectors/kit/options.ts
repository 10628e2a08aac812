import type { Options } from 'yargs';
import { z } from 'zod';

/** A setting's name as a flag: `pageSize` is `--page-size`. The one place where the spellings meet. */
export const flagName = (key: string): string => lowered(key, '-');

/** A setting's name as data: `pageSize` is `page_size`. */
export const dataName = (key: string): string => lowered(key, '_');

/** A result as it is printed: its keys are data at any depth. */
export function asData(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asData);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [dataName(key), asData(inner)]));
}

const lowered = (key: string, joint: string): string =>
  key.replace(/[A-Z]/g, (letter) => `${joint}${letter.toLowerCase()}`);

/** What a flag's value looks like, from the JSON Schema of its setting. */
export interface FlagSchema {
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
 * The yargs options of a command. yargs only parses and prints help: defaults and checks stay with the schema, so that a
 * flag that was given differs from one that was not, and all mistakes are reported at once. Only those without a value
 * have a type.
 */
export function yargsOptions(
  settings: z.ZodObject,
  { groupOf, isCompletion }: { groupOf(key: string): string; isCompletion: boolean },
): Record<string, Options> {
  const options: Record<string, Options> = {};
  for (const [key, { type, description = '', default: preset, enum: choices, items }] of flagSchemas(
    settings,
  )) {
    const known = choices ?? items?.enum;
    options[flagName(key)] = {
      ...(type === 'boolean' ? { type } : { requiresArg: true }),
      array: type === 'array',
      group: groupOf(key),
      ...(isCompletion && known && { choices: known }),
      describe: known ? `${description} [${known.join(', ')}]` : description,
      ...(preset !== undefined && preset !== false && { defaultDescription: [preset].flat().join(' ') }),
    };
  }
  return options;
}

/** A flag's text as the type of its setting; what does not fit is left for the schema to refuse. */
export function parseFlag({ type, items }: FlagSchema, value: unknown): unknown {
  if (type === 'array') {
    const given = typeof value === 'string' ? [value] : value;
    return items?.enum && Array.isArray(given) ? given.flatMap(namesIn) : given;
  }
  const isNumber = (type === 'number' || type === 'integer') && typeof value === 'string';
  if (!isNumber || value.trim() === '' || Number.isNaN(Number(value))) return value;
  return Number(value);
}

/** Names may be separated by commas, and by spaces where the shell does not separate them. */
const namesIn = (value: unknown): unknown[] =>
  typeof value === 'string' ? value.split(/[\s,]+/).filter((name) => name !== '') : [value];

/** The flags without a value that were given one: a parser takes `--dry-run=1` for false, and the run would be real. */
export function valuesNotTaken(settings: z.ZodObject, args: readonly string[]): string[] {
  const given = args.flatMap((arg) => {
    const [, name, value] = /^--(?:no-)?([^=]+)=(.*)$/s.exec(arg) ?? [];
    return name !== undefined && value !== 'true' && value !== 'false' ? [name] : [];
  });
  return [...flagSchemas(settings)]
    .filter(([key, { type }]) => type === 'boolean' && given.includes(flagName(key)))
    .map(([key]) => `--${flagName(key)} takes no value`);
}
