import { spawn } from 'node:child_process';
import { ConfigError } from '../../src/index.js';
import type { Context } from './command.js';

/** A password manager may ask a person first. */
const LIMIT_MS = 60_000;
/** In bytes; a key has a hundred. */
const MAX_OUTPUT = 64 * 1024;

/** A program that prints a secret, and how it is run. */
export interface KeyCommand {
  /** The flag that gave it. */
  flag: string;
  text: string;
  context: Pick<Context, 'stderr' | 'environment' | 'signal'>;
  limitMs?: number;
}

/**
 * Runs a command once, without a shell, and takes the first line of its stdout. Its stderr goes to ours; what it printed is in no error.
 * @throws ConfigError `key_command_failed`
 */
export async function secretFrom({ flag, text, context, limitMs = LIMIT_MS }: KeyCommand): Promise<string> {
  const { stderr, environment, signal } = context;
  const refuse = (why: string, cause?: unknown): ConfigError =>
    new ConfigError(`The command of ${flag} ${why}.`, { code: 'key_command_failed', cause });
  const [program, ...args] = wordsOf(text) ?? [];
  if (!program) throw refuse(text.trim() === '' ? 'is empty' : 'has a quote that does not end');
  const child = spawn(program, args, {
    env: environment,
    stdio: ['inherit', 'pipe', 'pipe'],
    windowsHide: true,
  });
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    return await new Promise<string>((resolve, reject) => {
      const onAbort = () => reject(signal.reason);
      const timer = setTimeout(() => reject(refuse(`took longer than ${limitMs / 1000} s`)), limitMs);
      child.once('close', () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
      });
      signal.addEventListener('abort', onAbort, { once: true });
      if (signal.aborted) onAbort();
      child.stderr.on('data', (chunk: Buffer) => stderr.write(chunk.toString()));
      child.stdout.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size > MAX_OUTPUT) reject(refuse('printed too much to be a key'));
      });
      child.once('error', (error: NodeJS.ErrnoException) =>
        reject(refuse(`cannot be run (${error.code})`, error)),
      );
      child.once('close', (code, killedBy) => {
        if (code !== 0) {
          reject(refuse(`ended ${killedBy ? `by ${killedBy}` : `with exit code ${code}`}`));
          return;
        }
        const [line = ''] = Buffer.concat(chunks).toString().split(/\r?\n/, 1);
        if (line.trim() === '') reject(refuse('printed no key on its first line'));
        else resolve(line.trim());
      });
    });
  } finally {
    child.kill('SIGKILL');
    child.stdout.destroy(); // a process that it started may hold them open
    child.stderr.destroy();
  }
}

/**
 * The words of a command, as a shell has them: separated by spaces, unless these are in quotes or follow a backslash. Nothing else has
 * a meaning, and a backslash before anything else is one: paths of Windows have them.
 * @returns undefined: a quote does not end
 */
export function wordsOf(text: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let i = 0; i < text.length; i += 1) {
    const char = text[i] ?? '';
    const next = text[i + 1] ?? '';
    if (char === '\\' && quote !== "'" && (quote ? ['"', '\\'] : ['"', "'", '\\', ' ']).includes(next)) {
      word = (word ?? '') + next;
      i += 1;
    } else if (quote) {
      if (char === quote) quote = '';
      else word += char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= '';
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + char;
  }
  if (quote) return undefined;
  return word === undefined ? words : [...words, word];
}
