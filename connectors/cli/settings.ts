import { readFile } from 'node:fs/promises';
import leven from 'leven';
import type { z } from 'zod';
import { ConfigError } from '../../src/index.js';
import { flagName, flagSchemas, parseFlag } from './options.js';

/** Where settings may come from besides the flags. */
const ENVIRONMENT: Record<string, readonly string[]> = {
  apiKey: ['ANTHROPIC_COMPLIANCE_ACCESS_KEY', 'ANTHROPIC_COMPLIANCE_API_KEY'],
  baseUrl: ['ANTHROPIC_COMPLIANCE_BASE_URL'],
};

/** Never taken from a flag or a file: both are read by others. */
const SECRETS = ['apiKey'];

interface Sources {
  /** What yargs parsed, by flag name. */
  flags: Readonly<Record<string, unknown>>;
  environment: NodeJS.ProcessEnv;
}

/**
 * Settles a command's settings: flags win over the environment over `--config` over defaults. Every mistake is told
 * at once.
 * @throws ConfigError `settings_invalid`
 */
export async function settle<S extends z.ZodObject>(
  schema: S,
  { flags, environment }: Sources,
): Promise<z.output<S>> {
  const schemas = flagSchemas(schema);
  const byFlag = new Map(
    [...schemas]
      .filter(([key]) => !SECRETS.includes(key))
      .map(([key, flag]) => [flagName(key), { key, flag }]),
  );
  const mistakes: string[] = [];
  const settings: Record<string, unknown> = {};

  const take = (values: Readonly<Record<string, unknown>>, say: (name: string) => string): void => {
    for (const [name, value] of Object.entries(values)) {
      const known = byFlag.get(name);
      if (known) settings[known.key] = parseFlag(known.flag, value);
      else mistakes.push(`${say(name)} is not known${nearest(name, [...byFlag.keys()], say)}`);
    }
  };

  const { config, ...given } = flags;
  if (typeof config === 'string') {
    const file = await readConfig(config);
    take(file, (name) => `"${name}" in ${config}`);
  }
  for (const key of schemas.keys()) {
    const value = ENVIRONMENT[key]
      ?.map((name) => environment[name])
      .find((text) => text !== undefined && text !== '');
    if (value !== undefined) settings[key] = value;
  }
  take(given, (name) => `--${name}`);
  if (schemas.has('apiKey') && typeof settings.apiKeyFile === 'string') {
    settings.apiKey = await readKey(settings.apiKeyFile);
  }

  const parsed = schema.safeParse(settings);
  if (parsed.success && mistakes.length === 0) return parsed.data;
  mistakes.push(...(parsed.error?.issues ?? []).map(({ path, message }) => `${sayPath(path)}: ${message}`));
  throw new ConfigError(
    mistakes.length === 1
      ? `${mistakes[0]}.`
      : `There are ${mistakes.length} mistakes.\n  ${mistakes.join('\n  ')}`,
    { code: 'settings_invalid' },
  );
}

function sayPath([key, ...rest]: readonly PropertyKey[]): string {
  if (key === 'apiKey') {
    return 'The key is missing or not one: set ANTHROPIC_COMPLIANCE_ACCESS_KEY, or give --api-key-file';
  }
  return [`--${flagName(String(key))}`, ...rest.map((index) => `(value ${Number(index) + 1})`)].join(' ');
}

function nearest(name: string, known: readonly string[], say: (name: string) => string): string {
  const [best] = known
    .map((flag) => ({ flag, distance: leven(name, flag) }))
    .sort((a, b) => a.distance - b.distance);
  return best && best.distance <= Math.max(2, name.length / 3) ? `: did you mean ${say(best.flag)}?` : '';
}

/** A JSON object whose keys are flags without their dashes; `page_size` is read as `page-size`. */
async function readConfig(path: string): Promise<Record<string, unknown>> {
  try {
    const json: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (typeof json !== 'object' || json === null || Array.isArray(json))
      throw new TypeError('not an object');
    return Object.fromEntries(Object.entries(json).map(([key, value]) => [key.replaceAll('_', '-'), value]));
  } catch (cause) {
    throw new ConfigError(`--config ${path} cannot be read as a JSON object: ${reason(cause)}.`, {
      code: 'config_file_invalid',
      cause,
    });
  }
}

async function readKey(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (cause) {
    throw new ConfigError(`--api-key-file ${path} cannot be read: ${reason(cause)}.`, {
      code: 'api_key_file_unreadable',
      cause,
    });
  }
}

/** Never the text of a JSON error: it quotes the file. */
const reason = (cause: unknown): string =>
  (cause as NodeJS.ErrnoException).code ??
  (cause instanceof SyntaxError ? 'not valid JSON' : 'not an object');
