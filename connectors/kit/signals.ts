import { constants } from 'node:os';
import process from 'node:process';

/** The signals that a process has received. */
export interface SignalWatch {
  signal: AbortSignal;
  /** The signal that came, if one did. */
  received(): NodeJS.Signals | undefined;
  /** Gives the signals back their usual effect. */
  release(): void;
}

/** Turns the first of some signals into an abort; the second one ends the process as it always would. */
export function untilSignal(names: readonly NodeJS.Signals[]): SignalWatch {
  const controller = new AbortController();
  let received: NodeJS.Signals | undefined;
  const handlers = names.map((name) => {
    const handler = (): void => {
      received = name;
      release();
      controller.abort(new Error(`ended by ${name}`));
    };
    process.on(name, handler);
    return { name, handler };
  });
  const release = (): void => {
    for (const { name, handler } of handlers) process.off(name, handler);
  };
  return { signal: controller.signal, received: () => received, release };
}

/**
 * Ends the process by the signal it was sent, so that its parent sees how it ended. To the first process of a container
 * a signal without a handler does nothing: that one ends with the code a shell would report, 143 for SIGTERM.
 */
export function endBySignal(name: NodeJS.Signals | undefined): void {
  if (!name) return;
  if (process.pid === 1) process.exitCode = 128 + constants.signals[name];
  process.kill(process.pid, name);
}
