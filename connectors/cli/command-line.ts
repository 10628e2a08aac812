import yargs from 'yargs';
import { ComplianceError, ConfigError, VERSION } from '../../src/index.js';
import type { Command, Surroundings } from './command.js';
import { commands } from './commands/index.js';
import { yargsOptions } from './options.js';
import { settle } from './settings.js';

/** Parses one command line and runs its command; errors are told on stderr. @returns the exit code */
export async function runCommandLine(args: readonly string[], surroundings: Surroundings): Promise<number> {
  try {
    let exitCode = 0;
    await parser(surroundings, async (command, flags) => {
      const settings = await settle(command.settings, { flags, environment: surroundings.environment });
      exitCode = await command.run(settings, surroundings);
    }).parseAsync(args);
    return exitCode;
  } catch (error) {
    if (surroundings.signal.aborted) return 1; // the process ends by the signal
    return tell(error, surroundings);
  }
}

function tell(error: unknown, { stderr }: Surroundings): number {
  if (error instanceof ComplianceError) {
    stderr.write(`error: ${error.message} [${error.code}]\n`);
    return error.exitCode;
  }
  stderr.write(
    `error: This is a fault of the connector, please report it. ${(error as Error)?.stack ?? error}\n`,
  );
  return 1;
}

type Run = (command: Command, flags: Record<string, unknown>) => Promise<void>;

function parser({ environment, stderr }: Surroundings, run: Run) {
  const cli = yargs()
    .scriptName('claude-compliance')
    .usage("$0 <command>\n\nReads the directory of a company's Claude organisations from the Compliance API.")
    .parserConfiguration({ 'camel-case-expansion': false, 'parse-numbers': false, 'dot-notation': false })
    .version(VERSION)
    .help()
    .alias('help', 'h')
    .wrap(Math.min(120, Number(environment.COLUMNS) || (stderr.isTTY ? 100 : 80)))
    .exitProcess(false)
    .fail((message, error) => {
      throw error ?? new ConfigError(`${message} See claude-compliance --help.`, { code: 'usage' });
    })
    .demandCommand(1, 1, 'Which command?', 'One command at a time.')
    .strictCommands();
  for (const command of commands) {
    const { name, positional, summary } = command;
    cli.command(
      positional ? `${name} <${positional.key}>` : name,
      summary,
      (builder) => {
        builder.options(yargsOptions(command.settings.omit(hidden(command))));
        builder.option('config', {
          type: 'string',
          requiresArg: true,
          describe: 'A JSON file with any of these flags.',
        });
        if (positional)
          builder.positional(positional.key, {
            type: 'string',
            describe: positional.describe,
            choices: positional.choices,
          });
      },
      async ({ _, $0, ...flags }) => await run(command, flags),
    );
  }
  return cli;
}

/** The key has no flag, and a positional is shown as one. */
function hidden({ settings, positional }: Command): Record<string, true> {
  const keys = ['apiKey', positional?.key ?? ''].filter((key) => key in settings.shape);
  return Object.fromEntries(keys.map((key) => [key, true as const]));
}
