import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Context } from '../kit/command.js';

/** Writes bytes to stdout; a reader that leaves early ends it quietly. @returns the exit code */
export async function writeToStdout(
  bytes: AsyncIterable<Uint8Array>,
  { stdout, signal }: Context,
): Promise<number> {
  try {
    await pipeline(bytes, stdout as Writable, { signal, end: false });
    return 0;
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (code !== 'EPIPE' && syscall !== 'write') throw error;
    return code === 'EPIPE' ? 0 : 1; // reported by whoever opened stdout
  }
}
