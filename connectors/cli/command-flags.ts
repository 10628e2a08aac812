import type { Argv } from 'yargs';
import type { z } from 'zod';
import type { Command, Context } from '../kit/command.js';
import { connectionSettings } from '../kit/connection.js';
import { flagName, valuesNotTaken, yargsOptions } from '../kit/options.js';
import { SECRETS } from '../kit/secrets.js';
import { resolveSettings } from '../kit/settings.js';
import { commands } from './commands/index.js';

/** The heading of flags that every command has. */
export const GENERAL = 'General:';

/**
 * Declares the flags of a command, and what its help says.
 * @param isCompletion whether a shell asks for them: then with their choices, which else only the settings check
 */
export function declareFlags(builder: Argv, command: Command, isCompletion: boolean): void {
  const { positionals = [] } = command;
  builder
    .group([], 'Positionals:')
    .group([], 'Options:')
    .options(yargsOptions(flagSettings(command), { groupOf, isCompletion }))
    .option('config', {
      requiresArg: true,
      group: GENERAL,
      describe: 'A YAML or JSON file with any of these flags.',
    })
    .epilogue(epilogue(command));
  for (const { key, choices, describe } of positionals)
    builder.positional(key, {
      describe: choices ? `${describe} [${choices.join(', ')}]` : describe,
      ...(isCompletion && choices && { choices }),
    });
}

/** What a command line gave to a command. */
interface Given {
  command: Command;
  flags: Readonly<Record<string, unknown>>;
  args: readonly string[];
}

/** The settings of a command. @throws ConfigError what `resolveSettings` throws */
export async function settingsOf(
  { command, flags, args }: Given,
  context: Context,
): Promise<z.output<Command['settings']>> {
  const { settings, positionals = [], isWithoutKey } = command;
  return await resolveSettings(settings, {
    flags,
    context,
    positionals: positionals.map(({ key }) => key),
    allFlags,
    mistakes: valuesNotTaken(settings, args),
    ...(isWithoutKey && { isWithoutKey }),
  });
}

/** The flags of every command: a file of them may serve all. */
async function allFlags(): Promise<string[]> {
  const loaded = await Promise.all(commands.map(({ load }) => load()));
  return loaded.flatMap((command) => Object.keys(flagSettings(command).shape).map(flagName));
}

/** A command's own flags come first. */
const groupOf = (key: string): string => (key in connectionSettings.shape ? 'Connection:' : 'Options:');

const epilogue = ({ settings }: Command): string =>
  [
    ...('apiKey' in settings.shape
      ? [
          'The key is read from ANTHROPIC_COMPLIANCE_ACCESS_KEY, --api-key-file or --api-key-command, never from a flag.',
        ]
      : []),
    'Every flag has a variable: CLAUDE_COMPLIANCE_PAGE_SIZE is --page-size. Flags win over the environment, that over --config.',
    'Exit codes: 0 success, 1 something failed, 2 wrong usage or configuration, 75 try again later.',
  ].join('\n');

/** The settings that are flags: a secret has none, and a positional is shown as one. */
export function flagSettings({ settings, positionals = [] }: Command): z.ZodObject {
  const keys = [...Object.keys(SECRETS), ...positionals.map(({ key }) => key)].filter(
    (key) => key in settings.shape,
  );
  return settings.omit(Object.fromEntries(keys.map((key) => [key, true as const])) as Record<string, true>);
}
