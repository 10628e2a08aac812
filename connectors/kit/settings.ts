import { readFile, stat } from 'node:fs/promises';
import { platform } from 'node:process';
import type { z } from 'zod';
import { ConfigError } from '../../src/index.js';
import { readConfigFile } from './config-file.js';
import { flagsNamed, readEnvironment, variableOf } from './environment.js';
import { isKey } from './key-text.js';
import { didYouMean, sayIssue } from './mistakes.js';
import { flagName, flagSchemas, parseFlag } from './options.js';
import { SECRETS } from './secrets.js';

/** The flag that names a file of flags. */
const CONFIG = 'config';

interface Sources {
  /** What yargs parsed, by flag name. */
  flags: Readonly<Record<string, unknown>>;
  environment: NodeJS.ProcessEnv;
  /** The settings that are words after the command, not flags. */
  positionals?: readonly string[];
  /** The flags of all commands: a file and the environment may serve them all. */
  allFlags(): Promise<readonly string[]>;
  /** Reported with those that are found here. */
  mistakes?: readonly string[];
  /** Gets a sentence about what works and should not be so. */
  warn(text: string): void;
}

/**
 * The settings of a command: flags win over the environment over `--config` over defaults. Every mistake is reported at
 * once.
 * @throws ConfigError `settings_invalid`, `key_misplaced`, `config_file_invalid`, `key_file_unreadable`
 */
export async function resolveSettings<S extends z.ZodObject>(
  schema: S,
  { flags, environment, positionals = [], allFlags, mistakes: found = [], warn }: Sources,
): Promise<z.output<S>> {
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
  for (const [key, { file }] of Object.entries(SECRETS).filter(([key]) => schemas.has(key))) {
    const named =
      fromFlags[file] ?? (fromEnvironment[key] === undefined && (fromEnvironment[file] ?? fromFile[file]));
    if (typeof named === 'string') settings[key] = await readKey({ flag: flagName(file), path: named, warn });
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
    `${name} has a key as its value. The key comes from ANTHROPIC_COMPLIANCE_ACCESS_KEY, or from the file that --api-key-file names. Others can read flags: replace that key by another one.`,
    { code: 'key_misplaced' },
  );

const sentence = (text: string): string => (/[.?]$/.test(text) ? text : `${text}.`);

function hint(name: string, known: readonly string[], say: (name: string) => string): string {
  if (/^(?:api[-_]?)?key$/i.test(name)) {
    return ': the key comes from ANTHROPIC_COMPLIANCE_ACCESS_KEY or --api-key-file, since others can read flags';
  }
  return didYouMean(name, known, say);
}

interface KeyFile extends Pick<Sources, 'warn'> {
  flag: string;
  path: string;
}

/** The bits of a mode by which others than the owner may read. */
const READ_BY_OTHERS = 0o044;

async function readKey({ flag, path, warn }: KeyFile): Promise<string> {
  try {
    const { mode } = await stat(path);
    if (platform !== 'win32' && (mode & READ_BY_OTHERS) !== 0)
      warn(
        `Others than its owner can read the file of --${flag} (its mode is ${(mode & 0o777).toString(8)}): chmod 600 ${path}`,
      );
    return (await readFile(path, 'utf8')).trim();
  } catch (cause) {
    throw new ConfigError(`--${flag} ${path} cannot be read: ${(cause as NodeJS.ErrnoException).code}.`, {
      code: 'key_file_unreadable',
      cause,
    });
  }
}
