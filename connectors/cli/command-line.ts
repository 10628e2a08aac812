import yargs from 'yargs';
import { ComplianceError, ConfigError } from '../../src/errors.js';
import { VERSION } from '../../src/version.js';
import type { Command, Context } from '../kit/command.js';
import { maskingKeys } from '../kit/key-text.js';
import { printableLines } from '../kit/printable.js';
import { type CommandEntry, commands } from './commands/index.js';

/** What a person types: the name of the package, so that `npx` finds it, and nobody else's. */
const COMMAND_LINE = 'claude-compliance-connector';

/** Parses one command line and runs its command; errors are reported on stderr. @returns the exit code */
export async function runCommandLine(args: readonly string[], io: Context): Promise<number> {
  const context = { ...io, stderr: maskingKeys(io.stderr) };
  try {
    const parsed = await parse(args.length === 1 && args[0] === 'version' ? ['--version'] : args, context);
    if (typeof parsed === 'string') {
      context.stdout.write(`${parsed}\n`);
      return 0;
    }
    const { settingsOf } = await loadFlags();
    return await parsed.command.run(await settingsOf({ ...parsed, args }, context), context);
  } catch (error) {
    if (context.signal.aborted) return 1; // the process ends by the signal
    return reportError(error, context);
  }
}

/** What needs the schemas of settings; the list of commands and the version do not. */
const loadFlags = () => import('./command-flags.js');

function reportError(error: unknown, { stderr }: Context): number {
  if (error instanceof ComplianceError) {
    stderr.write(`error: ${printableLines(error.message)} [${error.code}]\n`);
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
  const isCompletion = args.includes(COMPLETION_REQUEST);
  let text = '';
  let failed: Error | undefined;
  let isUnknown = false;
  let word: string | number | undefined;
  const asked = commands.filter(({ name }) => args.includes(name));
  const loaded = new Map<string, Command>();
  for (const { name, load } of asked) loaded.set(name, await load());
  const declareFlags = asked.length > 0 ? (await loadFlags()).declareFlags : () => {};
  const cli = parser(context);
  for (const { name, words: following, summary, examples } of commands) {
    const command = loaded.get(name);
    const written = following === undefined ? name : `${name} ${following}`;
    cli.command(
      written,
      summary,
      (builder) => {
        builder.usage(`${COMMAND_LINE} ${written} [flags]\n\n${summary}\n\n${listed(examples)}`);
        if (command) declareFlags(builder, command, isCompletion);
      },
      ({ _: words, $0: _, ...flags }) => {
        if (words.length > 1)
          throw usage(`${name} takes no more words: does one of them belong to a flag?`, name);
        if (command) parsed = { command, flags };
      },
    );
  }
  cli.command(
    'completion',
    'Prints a script that completes commands and flags in bash, zsh or fish.',
    {},
    () => {
      // Its types do not know that it takes the name of the program, which else it would guess.
      const { showCompletionScript } = cli as unknown as { showCompletionScript(...names: string[]): void };
      showCompletionScript.call(cli, COMMAND_LINE, 'completion');
    },
  );
  await cli.parseAsync(args, {}, (error, { _: words }, output) => {
    text = output;
    failed = error;
    isUnknown = !error && !parsed && text === '';
    [word] = words;
  });
  if (isUnknown) throw await unknownCommand(word);
  if (failed?.message.startsWith(MISSING_WORD)) throw missingWord(asked[0], loaded);
  if (failed) throw failed instanceof ComplianceError ? failed : usage(failed.message);
  return parsed ?? text;
}

/** What the script of `completion` asks the program by. */
const COMPLETION_REQUEST = '--get-yargs-completions';

/** Never shown: which word is missing is known to the command. */
const MISSING_WORD = 'missing word';

function missingWord(
  { name, words = '' }: Partial<CommandEntry> = {},
  loaded: ReadonlyMap<string, Command>,
): ConfigError {
  const [{ choices } = {}] = loaded.get(name ?? '')?.positionals ?? [];
  return usage(`Missing ${words}${choices ? `. One of: ${choices.join(', ')}` : ''}.`, name);
}

const listed = (examples: readonly string[]): string =>
  ['Examples:', ...examples.map((example) => `$ ${COMMAND_LINE} ${example}`)].join('\n');

function usage(message: string, command?: string): ConfigError {
  const help = [COMMAND_LINE, command, '--help'].filter(Boolean).join(' ');
  return new ConfigError(`${message} See ${help}.`, { code: 'usage' });
}

/** Does not repeat the word: it might be a key. */
async function unknownCommand(word: string | number | undefined): Promise<ConfigError> {
  const names = commands.map(({ name }) => name);
  const available = `Available: ${names.join(', ')}.`;
  if (word === undefined) return usage(`Missing command. ${available}`);
  const { didYouMean } = await import('../kit/mistakes.js');
  const guess = didYouMean(word, names);
  return usage(guess ? `Unknown command${guess}` : `Unknown command. ${available}`);
}

function parser({ environment, stdout }: Context) {
  return yargs()
    .scriptName('')
    .usage(
      `${COMMAND_LINE} <command> [flags]\n\nReads the directory of a company's Claude organisations from the Compliance API.\n\n${listed(['demo', 'check', 'dump --out ./lake'])}`,
    )
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
        one: MISSING_WORD,
        other: MISSING_WORD,
      },
    } as unknown as Record<string, string>)
    .version(VERSION)
    .help()
    .alias('help', 'h')
    .alias('version', 'v')
    .group(['help', 'version'], 'General:')
    .wrap(Math.max(60, Number(environment.COLUMNS) || stdout.columns || 80))
    .exitProcess(false)
    .epilogue(`Flags of a command: ${COMMAND_LINE} dump --help`);
}
