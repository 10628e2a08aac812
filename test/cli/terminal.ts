import { spawn, spawnSync } from 'node:child_process';
import { COMMAND, ended } from './command.js';

/** Why there is no terminal here; undefined where `script` of util-linux can make one. */
export const noTerminal = /util-linux/.test(
  spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout ?? '',
)
  ? undefined
  : 'there is no `script` of util-linux to make a terminal';

interface Terminal {
  columns?: number;
  environment: NodeJS.ProcessEnv;
}

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

/** Starts the command on a terminal of its own. */
export function startOnTerminal(args: readonly string[], { columns = 80, environment }: Terminal) {
  const command = [process.execPath, COMMAND, ...args].map(quoted).join(' ');
  const child = spawn(
    'script',
    ['--quiet', '--return', '--command', `stty cols ${columns}; exec ${command}`, '/dev/null'],
    { env: { ...environment, TERM: 'xterm' }, stdio: ['pipe', 'pipe', 'pipe'] },
  );
  let shown = '';
  child.stdout.on('data', (chunk: Buffer) => {
    shown += chunk.toString();
  });
  const over = ended(child).then(({ code }) => ({ code, shown }));
  return {
    /** How it ended, and all that was written to the terminal. */
    over,
    /** Resolves when a text is on the screen. @throws when it ended without */
    async shows(text: string | RegExp): Promise<void> {
      while (!(typeof text === 'string' ? shown.includes(text) : text.test(shown))) {
        if (child.exitCode !== null) throw new Error(`It ended without showing ${text}:\n${shown}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    interrupt: () => child.stdin.write('\u0003'),
  };
}

/** Runs the command on a terminal of its own. @returns the exit code, and all that was written to the terminal */
export const runOnTerminal = (args: readonly string[], terminal: Terminal) =>
  startOnTerminal(args, terminal).over;

/** What moves the cursor to the start of the line or erases; and every other control sequence. */
const ERASES = new RegExp(`${'\u001B'}\\[\\d*[GK]`, 'g');
const CODES = new RegExp(`${'\u001B'}(?:\\[[?\\d;]*[A-Za-z]|\\d)`, 'g');

/** The lines that were on the screen at some time, each without what moves the cursor or colours. */
export const screens = (shown: string): string[] =>
  shown
    .replaceAll(ERASES, '\n')
    .replaceAll(CODES, '')
    .split(/[\r\n]/)
    .filter((line) => line.trim() !== '');
