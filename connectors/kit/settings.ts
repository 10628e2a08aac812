import type { z } from 'zod';
import { ConfigError } from '../../src/index.js';
import type { Context } from './command.js';
import { readConfigFile } from './config-file.js';
import { flagsNamed, readEnvironment, variableOf } from './environment.js';
import { isKey } from './key-text.js';
import { didYouMean, sayIssue } from './mistakes.js';
import { flagName, flagSchemas, parseFlag } from './options.js';
import { readSecret, type SecretSource, secretSource } from './secret-source.js';
import { SECRETS } from './secrets.js';

/** The flag that names a file of flags. */
const CONFIG = 'config';

interface Sources {
  /** What yargs parsed, by flag name. */
  flags: Readonly<Record<string, unknown>>;
  context: Pick<Context, 'environment' | 'stderr' | 'signal'>;
  /** The settings that are words after the command, not flags. */
  positionals?: readonly string[];
  /** The flags of all commands: a file and the environment may serve them all. */
  allFlags(): Promise<readonly string[]>;
  /** Reported with those that are found here. */
  mistakes?: readonly string[];
  /** Whether the key would not be used: then nobody is asked for it. */
  isWithoutKey?(settings: Readonly<Record<string, unknown>>): boolean;
}

/** For the check of the other settings, before a command asks a person for the secret. */
const PLACEHOLDER = 'secret';

/**
 * The settings of a command: flags win over the environment over `--config` over defaults. Every mistake is reported at
 * once.
 * @throws ConfigError `settings_invalid`, `key_misplaced`, `config_file_invalid`, `key_file_unreadable`, `key_command_failed`
 */
export async function resolveSettings<S extends z.ZodObject>(
  schema: S,
  { flags, context, positionals = [], allFlags, mistakes: found = [], isWithoutKey = () => false }: Sources,
): Promise<z.output<S>> {
  const { environment } = context;
  const schemas = flagSchemas(schema);
  const byFlag = new Map(
    [...schemas].filter(([key]) => !(key in SECRETS)).map(([key, flag]) => [flagName(key), { key, flag }]),
  );
  const named = flagsNamed(environment);
  const { config = environment[variableOf(CONFIG)], ...rest } = flags;
  const all = named.length > 0 || config ? [...(await allFlags()), CONFIG] : [];
  const mistakes = [...found];
  for (const flag of named.filter((flag) => !all.includes(flag))) {
    const meant = hint(flag, all, variableOf); // others may have variables of their own that begin alike
    if (meant !== '') mistakes.push(`The variable ${variableOf(flag)} is not known${meant}`);
  }

  const take = (values: Readonly<Record<string, unknown>>, say: (name: string) => string) => {
    const taken: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(values)) {
      const known = byFlag.get(name);
      if (known) taken[known.key] = parseFlag(known.flag, value);
      else mistakes.push(`${say(name)} is not known${hint(name, [...byFlag.keys()], say)}`);
    }
    return taken;
  };

  if (isKey(config)) throw misplacedKey(`--${CONFIG}`);
  const file = Object.entries(
    typeof config === 'string' && config !== '' ? await readConfigFile(config) : {},
  );
  const forUs = file.filter(([name]) => byFlag.has(name) || !all.includes(name));
  const fromFile = take(Object.fromEntries(forUs), (name) => `"${name}" in ${config}`);
  const fromFlags = take(rest, (name) => (name.length === 1 ? `-${name}` : `--${name}`));
  const variables = readEnvironment(schemas, environment);
  const fromEnvironment = Object.fromEntries([...variables].map(([key, { value }]) => [key, value]));
  const settings = { ...fromFile, ...fromEnvironment, ...fromFlags };
  const nameOf = (key: string): string => {
    const variable = key in fromFlags ? undefined : variables.get(key)?.variable;
    return variable ?? (positionals.includes(key) ? `<${key}>` : `--${flagName(key)}`);
  };
  for (const [key, value] of Object.entries(settings))
    if (!(key in SECRETS) && [value].flat().some(isKey)) throw misplacedKey(nameOf(key));
  const sources = new Map<string, SecretSource>();
  for (const key of Object.keys(SECRETS).filter((key) => schemas.has(key) && !isWithoutKey(settings))) {
    const source = secretSource(key, { flags: fromFlags, environment: fromEnvironment, file: fromFile });
    if (source.kind === 'both') mistakes.push(source.mistake);
    if (source.kind !== 'none') settings[key] = PLACEHOLDER;
    sources.set(key, source);
  }
  if (mistakes.length === 0 && schema.safeParse(settings).success) {
    for (const [key, source] of sources) settings[key] = (await readSecret(source, context)) ?? settings[key];
  }

  const parsed = schema.safeParse(settings, { reportInput: true });
  if (parsed.success && mistakes.length === 0) return parsed.data;
  mistakes.push(...(parsed.error?.issues ?? []).map((issue) => sayIssue(issue, nameOf)));
  throw new ConfigError(
    mistakes.length === 1
      ? sentence(mistakes[0] ?? '')
      : `There are ${mistakes.length} mistakes.\n  ${mistakes.join('\n  ')}\n `,
    { code: 'settings_invalid' },
  );
}

/** Before anything is done with it: a folder or a line of the manifest would have its name. */
const misplacedKey = (name: string): ConfigError =>
  new ConfigError(
    `${name} has a key as its value. The key comes from ANTHROPIC_COMPLIANCE_ACCESS_KEY, --api-key-file or --api-key-command. Others can read flags: replace that key by another one.`,
    { code: 'key_misplaced' },
  );

const sentence = (text: string): string => (/[.?]$/.test(text) ? text : `${text}.`);

function hint(name: string, known: readonly string[], say: (name: string) => string): string {
  if (/^(?:api[-_]?)?key$/i.test(name)) {
    return ': the key comes from ANTHROPIC_COMPLIANCE_ACCESS_KEY, --api-key-file or --api-key-command, since others can read flags';
  }
  return didYouMean(name, known, say);
}
