import type { ComplianceEvent, OnEvent } from '../../src/index.js';
import type { Context } from './command.js';

/** Says on stderr what a command is waiting for, so that nobody watches an empty screen. */
export interface Waiting {
  /** Shows what is waited for, until it has come. */
  during<T>(what: string, action: () => Promise<T>): Promise<T>;
  /** Shows why it takes longer: attempts that are repeated, and the budget. */
  onEvent: OnEvent;
}

/** On a terminal one line, which is gone when the answer is there; elsewhere a line for each attempt that is repeated. */
export function openWaiting({ stderr }: Pick<Context, 'stderr'>): Waiting {
  const line = statusLine(stderr);
  let what = '';
  return {
    async during(asked, action) {
      what = asked;
      line.show(what);
      try {
        return await action();
      } finally {
        line.clear();
      }
    },
    onEvent(event) {
      const why = reasonOf(event);
      if (why === '') return;
      if (stderr.isTTY) line.show(`${what} · ${why}`);
      else if (event.type === 'retrying') stderr.write(`note: ${why}\n`);
    },
  };
}

/** `tries again at 12:00:03 (connection_refused)`; empty where nothing is waited for. */
export function reasonOf(event: ComplianceEvent): string {
  if (event.type === 'waiting') return `waits for the budget until ${timeOf(event.until)}`;
  if (event.type === 'retrying') return `tries again at ${timeOf(event.until)} (${event.code})`;
  return '';
}

const timeOf = (until: number): string => `${new Date(until).toISOString().slice(11, 19)}Z`;

/** One line of a terminal that is written over; nothing where there is no terminal. */
export function statusLine(stderr: Context['stderr']) {
  let isShown = false;
  return {
    show(text: string): void {
      if (!stderr.isTTY) return;
      const { columns = 80 } = stderr;
      stderr.write(`\r\u001B[2K${text.slice(0, columns - 1)}`);
      isShown = true;
    },
    clear(): void {
      if (isShown) stderr.write('\r\u001B[2K');
      isShown = false;
    },
  };
}
