import { readFile } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { parseArgs } from 'node:util';
import {
  type Clock,
  ComplianceError,
  ConfigError,
  streams as registry,
  type Stream,
} from '../../src/index.js';
import { catalogMessage, parseCatalog } from './catalog.js';
import { check } from './check.js';
import type { CommandContext } from './client.js';
import { type Config, parseConfig, quote } from './config.js';
import { traceOf } from './failure.js';
import { log, type Message, traceError } from './messages.js';
import { type Output, openOutput } from './output.js';
import { read } from './read.js';
import { DOCUMENTATION_URL, specMessage } from './spec.js';
import { parseStates } from './state.js';

/** The parts of the process that the source may use. */
export interface Context {
  stdout: Writable;
  environment: NodeJS.ProcessEnv;
  /** Aborts when the process is to end: from then on nothing is written. */
  signal: AbortSignal;
  clock: Clock;
  /** What can be read; default: the registry. */
  streams?: readonly Stream[];
}

/** The files that a command is given. */
interface Files {
  config: string;
  catalog: string;
  state: string | undefined;
}

interface Call extends CommandContext {
  streams: readonly Stream[];
  /** @throws ConfigError when it was not given */
  files: Files;
}

const COMMANDS: Readonly<Record<string, (call: Call) => Promise<number>>> = {
  spec: async ({ output }) => await answer(output, specMessage()),
  check: checkConfig,
  async discover({ output, files, streams }) {
    await settings(files, output); // a configuration that cannot read gets no catalog
    return await answer(output, catalogMessage(streams));
  },
  async read({ files, streams, ...context }) {
    const { output } = context;
    const asked = {
      settings: await settings(files, output),
      catalog: parseCatalog(await readJson(files.catalog, 'catalog'), streams),
      states: parseStates(files.state === undefined ? '' : await readText(files.state, 'state')),
    };
    return (await read(asked, context)) ? 0 : 1;
  },
};

/**
 * Runs one command of the Airbyte protocol. All of its output is messages on stdout, except the answer to `--help`, which is for
 * a person. Everything is written when this resolves.
 * @returns the exit code: 0 when everything asked for was done, else 1
 */
export async function runSource(args: readonly string[], options: Context): Promise<number> {
  const { stdout, streams = registry, ...context } = options;
  if (args.some((arg) => arg === '--help' || arg === '-h')) {
    await new Promise((resolve) => stdout.write(HELP, resolve));
    return 0;
  }
  const output = openOutput(stdout, context.signal);
  let exitCode = 1;
  try {
    const { command, files } = parseCommand(args);
    exitCode = await command({ ...context, streams, output, files });
  } catch (error) {
    if (context.signal.aborted) return 1;
    output.write(traceError(traceOf(error)));
  }
  await output.flush();
  return context.signal.aborted ? 1 : exitCode;
}

const FORMS = [
  'spec',
  'check --config FILE',
  'discover --config FILE',
  'read --config FILE --catalog FILE [--state FILE]',
];

const USAGE = `Usage: source-claude-compliance ${FORMS.join(' | ')}`;

const HELP = `An Airbyte source: reads the directory of a company's Claude organisations from Anthropic's Compliance API.

${FORMS.map((form) => `  source-claude-compliance ${form}\n`).join('')}
FILE is JSON. The shortest --config is {"api_key": "sk-ant-api01-…"}; \`spec\` prints every setting with its default.
The output is messages of the Airbyte protocol, one a line.
Guide: ${DOCUMENTATION_URL}
`;

function parseCommand(args: readonly string[]) {
  const file = { type: 'string' } as const;
  const parse = () => {
    try {
      return parseArgs({
        args: [...args],
        allowPositionals: true,
        options: { config: file, catalog: file, state: file, debug: { type: 'boolean' } },
      });
    } catch (cause) {
      throw usage(`${(cause as Error).message}.`, cause);
    }
  };
  const { positionals, values } = parse();
  const [name = '', ...others] = positionals;
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command || others.length > 0) throw usage('Give exactly one of the four commands.');
  const given = (option: 'config' | 'catalog'): string => {
    const path = values[option];
    if (path === undefined) throw usage(`\`${name}\` needs --${option}.`);
    return path;
  };
  const files: Files = {
    get config() {
      return given('config');
    },
    get catalog() {
      return given('catalog');
    },
    state: values.state,
  };
  return { command, files };
}

const usage = (what: string, cause?: unknown) =>
  new ConfigError(`${what} ${USAGE}`, { code: 'usage', ...(cause !== undefined && { cause }) });

async function answer(output: Output, message: Message): Promise<number> {
  await output.send(message);
  return 0;
}

/** What a person can correct is an answer; that the API cannot be reached is an error. */
async function checkConfig({ files, output, ...context }: Call): Promise<number> {
  const path = files.config;
  try {
    await check(await settings({ config: path }, output), { ...context, output });
    return await answer(output, { type: 'CONNECTION_STATUS', connectionStatus: { status: 'SUCCEEDED' } });
  } catch (error) {
    if (!(error instanceof ComplianceError) || error.failure !== 'config') throw error;
    const { message } = error;
    return await answer(output, {
      type: 'CONNECTION_STATUS',
      connectionStatus: { status: 'FAILED', message },
    });
  }
}

async function settings(files: Pick<Files, 'config'>, output: Output): Promise<Config['settings']> {
  const { settings, unknown } = parseConfig(await readJson(files.config, 'config'));
  if (unknown.length > 0) {
    const names = unknown.slice(0, 10).map(quote).join(', ');
    output.write(
      log('WARN', `The configuration has keys that this source does not know: ${names}. They are ignored.`),
    );
  }
  return settings;
}

async function readText(path: string, option: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const { code = 'unknown' } = cause as NodeJS.ErrnoException;
    throw new ConfigError(`The file of --${option} cannot be read (${code}): ${path}`, {
      code: 'file_unreadable',
      cause,
    });
  }
}

/** Never with the text of a JSON error: it quotes the file. */
async function readJson(path: string, option: string): Promise<unknown> {
  const text = await readText(path, option);
  try {
    return JSON.parse(text);
  } catch {
    throw new ConfigError(`The file of --${option} is not valid JSON: ${path}`, { code: 'file_not_json' });
  }
}
