import { type FlagSchema, flagName, parseFlag } from './options.js';
import { SECRETS } from './secrets.js';

/** The variables that other programs for this API read too, by setting. */
const SHARED: Record<string, readonly string[]> = { baseUrl: ['ANTHROPIC_COMPLIANCE_BASE_URL'] };
const secretVariables = Object.values(SECRETS).flatMap(({ variables }) => variables);

const PREFIX = 'CLAUDE_COMPLIANCE_';

/** The variable of a setting: `CLAUDE_COMPLIANCE_PAGE_SIZE` is `--page-size`. */
export const variableOf = (flag: string): string => PREFIX + flag.toUpperCase().replaceAll('-', '_');

/** A value, and the name of the variable that it came from. */
export interface FromEnvironment {
  value: unknown;
  variable: string;
}

/**
 * What the environment says of a command's settings: every flag has a variable, several values are separated by commas. An empty one
 * counts as not set.
 */
export function readEnvironment(
  flags: ReadonlyMap<string, FlagSchema>,
  environment: NodeJS.ProcessEnv,
): Map<string, FromEnvironment> {
  const found = new Map<string, FromEnvironment>();
  for (const [key, schema] of flags) {
    const names = SECRETS[key]?.variables ?? [variableOf(flagName(key)), ...(SHARED[key] ?? [])];
    const variable = names.find((name) => (environment[name] ?? '') !== '');
    if (variable !== undefined)
      found.set(key, { value: parseVariable(schema, environment[variable] as string), variable });
  }
  return found;
}

function parseVariable(schema: FlagSchema, text: string): unknown {
  if (schema.type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return parseFlag(schema, schema.type === 'array' ? text.split(',').map((part) => part.trim()) : text);
}

/** The flags that the variables of ours name: `page-size`. */
export const flagsNamed = (environment: NodeJS.ProcessEnv): string[] =>
  Object.keys(environment)
    .filter((name) => name.startsWith(PREFIX) && environment[name] !== '' && !secretVariables.includes(name))
    .map((name) => name.slice(PREFIX.length).toLowerCase().replaceAll('_', '-'));
