#!/usr/bin/env node
import process from 'node:process';
import { systemClock } from '../../src/index.js';
import { endBySignal, untilSignal } from '../kit/signals.js';
import { runSource } from './source.js';

const { signal, received, release } = untilSignal(['SIGINT', 'SIGTERM', 'SIGHUP']);
const readerGone = new AbortController();
const { stdout, env: environment } = process;
// When the reader of our output has closed the pipe, there is nothing more to read for.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  readerGone.abort(error);
});
process.exitCode = await runSource(process.argv.slice(2), {
  stdout,
  environment,
  signal: AbortSignal.any([signal, readerGone.signal]),
  clock: systemClock,
});
release();
endBySignal(received());
