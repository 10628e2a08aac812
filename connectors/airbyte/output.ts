import type { Writable } from 'node:stream';
import { textOf } from '../../src/index.js';
import { withoutKeys } from '../kit/key-text.js';
import type { Message } from './messages.js';
import type { RecordLines } from './record-lines.js';

/** JSON does not escape these, and some readers (Python's splitlines) take them for the end of a line. */
const SEPARATORS = /[\u0085\u2028\u2029]/g;
/** The same in raw text. */
const RAW_SEPARATORS = /\u00c2\u0085|\u00e2\u0080[\u00a8\u00a9]/g;

const escaped = (separator: string): string => `\\u${separator.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** The messages that people read; the others are data. */
const FOR_PEOPLE = new Set<Message['type']>(['LOG', 'TRACE', 'CONNECTION_STATUS']);

/** Where messages go: one a line, and as fast as the reader takes them. */
export interface Output {
  /** Writes without waiting: for everything but records, which is little. */
  write(message: Message): void;
  /** Writes, and resolves when there is room for more. */
  send(message: Message): Promise<void>;
  /** The same for the records of a page. */
  sendRecords(lines: RecordLines): Promise<void>;
  /** Resolves when everything written has been handed to the operating system. */
  flush(): Promise<void>;
}

/**
 * Makes the output. Nothing is written once the signal has aborted: a wait for the reader then ends with the signal's
 * reason.
 */
export function openOutput(stdout: Writable, signal: AbortSignal): Output {
  let room: Promise<void> | undefined;

  function writeChunk(chunk: string | Buffer): void {
    if (signal.aborted) return;
    const hasRoom = stdout.write(chunk);
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
  async function hasRoom(): Promise<void> {
    if (room) await room;
    signal.throwIfAborted();
  }
  const write = (message: Message): void => {
    const text = JSON.stringify(message).replace(SEPARATORS, escaped);
    writeChunk(`${FOR_PEOPLE.has(message.type) ? withoutKeys(text) : text}\n`);
  };

  return {
    write,
    async send(message) {
      write(message);
      await hasRoom();
    },
    async sendRecords({ text, isRaw }) {
      if (text !== '') writeChunk(isRaw ? bytesOf(text) : text.replace(SEPARATORS, escaped));
      await hasRoom();
    },
    async flush() {
      if (signal.aborted) return;
      await new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve(), { once: true });
        stdout.write('', () => resolve());
      });
    },
  };
}

const bytesOf = (raw: string): Buffer =>
  Buffer.from(
    raw.replace(RAW_SEPARATORS, (separator) => escaped(textOf(separator))),
    'latin1',
  );
