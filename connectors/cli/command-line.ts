import yargs from 'yargs';
import { ComplianceError, ConfigError, VERSION } from '../../src/index.js';
import type { Command, Context } from '../kit/command.js';
import { connectionSettings } from '../kit/connection.js';
import { didYouMean } from '../kit/mistakes.js';
import { flagName, valuesNotTaken, yargsOptions } from '../kit/options.js';
import { resolveSettings } from '../kit/settings.js';
import { commands } from './commands/index.js';

/** Parses one command line and runs its command; errors are reported on stderr. @returns the exit code */
export async function runCommandLine(args: readonly string[], context: Context): Promise<number> {
  try {
    const parsed = await parse(args, context);
    if (typeof parsed === 'string') {
      context.stdout.write(`${parsed}\n`);
      return 0;
    }
    const { command, flags } = parsed;
    const settings = await resolveSettings(command.settings, {
      flags,
      environment: context.environment,
      positional: command.positional?.key,
      foreign: commands.flatMap((known) =>
        Object.keys(known.settings.omit(hidden(known)).shape).map(flagName),
      ),
      mistakes: valuesNotTaken(command.settings, args),
    });
    return await command.run(settings, context);
  } catch (error) {
    if (context.signal.aborted) return 1; // the process ends by the signal
    return reportError(error, context);
  }
}

function reportError(error: unknown, { stderr }: Context): number {
  if (error instanceof ComplianceError) {
    stderr.write(`error: ${error.message} [${error.code}]\n`);
    return error.exitCode;
  }
  stderr.write(
    `error: This is a bug in the connector, please report it. ${(error as Error)?.stack ?? error}\n`,
  );
  return 1;
}

interface Parsed {
  command: Command;
  flags: Record<string, unknown>;
}

/** The command and its flags as they were given; or the text that was asked for instead: help, or the version. */
async function parse(args: readonly string[], context: Context): Promise<Parsed | string> {
  let parsed: Parsed | undefined;
  let text = '';
  let failed: Error | undefined;
  const cli = parser(context, (command, { _: words, $0: _, ...flags }) => {
    if (words.length > 1) {
      throw usage(`${command.name} takes no more words: does one of them belong to a flag?`, command);
    }
    parsed = { command, flags };
  });
  await cli.parseAsync(args, {}, (error, { _: words }, output) => {
    text = output;
    failed = error;
    if (!error && !parsed && text === '') failed = unknownCommand(words[0]);
  });
  if (failed) throw failed instanceof ComplianceError ? failed : usage(failed.message);
  return parsed ?? text;
}

function usage(message: string, command?: Command): ConfigError {
  const help = ['claude-compliance', command?.name, '--help'].filter(Boolean).join(' ');
  return new ConfigError(`${message} See ${help}.`, { code: 'usage' });
}

/** Does not repeat the word: it might be a key. */
function unknownCommand(word: string | number | undefined): ConfigError {
  const names = commands.map(({ name }) => name);
  const available = `Available: ${names.join(', ')}.`;
  if (word === undefined) return usage(`Missing command. ${available}`);
  const guess = didYouMean(word, names);
  return usage(guess ? `Unknown command${guess}` : `Unknown command. ${available}`);
}

type Take = (command: Command, argv: { _: (string | number)[]; $0: string }) => void;

const GENERAL = 'General:';

function parser({ environment, stderr }: Context, take: Take) {
  const cli = yargs()
    .scriptName('claude-compliance')
    .usage("$0 <command>\n\nReads the directory of a company's Claude organisations from the Compliance API.")
    .parserConfiguration({
      'camel-case-expansion': false,
      'dot-notation': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'short-option-groups': false,
    })
    .locale('en')
    .updateStrings({
      array: 'one or several',
      'Not enough arguments following: %s': 'Missing value for --%s.',
      'Not enough non-option arguments: got %s, need at least %s': {
        one: 'Missing word after the command: %s given, %s needed.',
        other: 'Missing word after the command: %s given, %s needed.',
      },
    } as unknown as Record<string, string>)
    .version(VERSION)
    .help()
    .alias('help', 'h')
    .group(['help', 'version'], GENERAL)
    .wrap(Math.min(120, Number(environment.COLUMNS) || (stderr.isTTY ? 100 : 80)))
    .exitProcess(false)
    .epilogue('Flags of a command: claude-compliance dump --help');
  for (const command of commands) {
    const { name, positional, summary } = command;
    cli.command(
      positional ? `${name} <${positional.key}>` : name,
      summary,
      (builder) => {
        builder
          .group([], 'Positionals:')
          .group([], 'Options:')
          .options(yargsOptions(command.settings.omit(hidden(command)), groupOf))
          .option('config', {
            requiresArg: true,
            group: GENERAL,
            describe: 'A JSON file with any of these flags.',
          })
          .epilogue(epilogue(command));
        if (positional) {
          const describe = `${positional.describe} [${positional.choices.join(', ')}]`;
          builder.positional(positional.key, { describe });
        }
      },
      (argv) => take(command, argv),
    );
  }
  return cli;
}

/** A command's own flags come first. */
const groupOf = (key: string): string => (key in connectionSettings.shape ? 'Connection:' : 'Options:');

const epilogue = ({ settings }: Command): string =>
  [
    ...('apiKey' in settings.shape
      ? ['The key is read from ANTHROPIC_COMPLIANCE_ACCESS_KEY or from --api-key-file, never from a flag.']
      : []),
    'Flags win over the environment, that over --config, that over the defaults.',
    'Exit codes: 0 success, 1 something failed, 2 wrong usage or configuration, 75 try again later.',
  ].join('\n');

/** The key has no flag, and a positional is shown as one. */
function hidden({ settings, positional }: Command): Record<string, true> {
  const keys = ['apiKey', positional?.key ?? ''].filter((key) => key in settings.shape);
  return Object.fromEntries(keys.map((key) => [key, true as const]));
}
