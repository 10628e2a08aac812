#!/usr/bin/env node
import process from 'node:process';
import { systemClock } from '../../src/index.js';
import { endBySignal, untilSignal } from '../cli/signals.js';
import { runSource } from './source.js';

const { signal, received, release } = untilSignal(['SIGINT', 'SIGTERM', 'SIGHUP']);
const left = new AbortController();
const { stdout, env: environment } = process;
// Who reads our output may leave: then there is nobody to tell, and nothing more to read for.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  left.abort(error);
});
process.exitCode = await runSource(process.argv.slice(2), {
  stdout,
  environment,
  signal: AbortSignal.any([signal, left.signal]),
  clock: systemClock,
});
release();
endBySignal(received());
