import type { Writable } from 'node:stream';
import type { Message } from './messages.js';

/** Records are joined to chunks of this many characters: a write for each costs ten times as much. */
const CHUNK = 64 * 1024;

/** JSON does not escape these, and some readers (Python's splitlines) take them for the end of a line. */
const SEPARATORS = /[\u0085\u2028\u2029]/g;
const escapeLine = (separator: string): string =>
  `\\u${separator.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Where messages go: one a line, and as fast as the reader takes them. */
export interface Output {
  /** Writes without waiting: for everything but records, which is little. */
  write(message: Message): void;
  /** Writes, and resolves when there is room for more. */
  send(message: Message): Promise<void>;
  /** Resolves when everything written has been handed to the operating system. */
  flush(): Promise<void>;
}

/**
 * Makes the output. Nothing is written once the signal has aborted: a wait for the reader then ends with the signal's
 * reason.
 */
export function openOutput(stdout: Writable, signal: AbortSignal): Output {
  let lines: string[] = [];
  let length = 0;
  let room: Promise<void> | undefined;

  function writeLines(): void {
    if (lines.length === 0 || signal.aborted) return;
    const text = lines.join('').replace(SEPARATORS, escapeLine);
    lines = [];
    length = 0;
    const hasRoom = stdout.write(text);
    if (!hasRoom) room ??= until('drain').finally(() => (room = undefined));
    room?.catch(() => {}); // whoever waits for it gets it
  }
  async function until(event: 'drain'): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const ending = (action: () => void) => () => {
        stdout.off(event, done);
        stdout.off('close', gone);
        signal.removeEventListener('abort', gone);
        action();
      };
      const done = ending(resolve);
      const gone = ending(() =>
        reject(signal.reason ?? new Error('The reader of the messages closed the pipe.')),
      );
      stdout.once(event, done);
      stdout.once('close', gone);
      signal.addEventListener('abort', gone, { once: true });
    });
  }
  function write(message: Message): void {
    if (signal.aborted) return;
    const line = `${JSON.stringify(message)}\n`;
    lines.push(line);
    length += line.length;
    // Only records are many; everything else is written at once.
    if (length >= CHUNK || message.type !== 'RECORD') writeLines();
  }

  return {
    write,
    async send(message) {
      write(message);
      if (room) await room;
      signal.throwIfAborted();
    },
    async flush() {
      writeLines();
      if (signal.aborted) return;
      await new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve(), { once: true });
        stdout.write('', () => resolve());
      });
    },
  };
}
