#!/usr/bin/env node
import process from 'node:process';
import { runCommandLine } from './command-line.js';
import { endBySignal, untilSignal } from './signals.js';

const { signal, received, release } = untilSignal(['SIGINT', 'SIGTERM', 'SIGHUP']);
const { stdout, stderr, env: environment } = process;
// Who reads our output may leave: then there is nobody to tell.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});
process.exitCode = await runCommandLine(process.argv.slice(2), { stdout, stderr, environment, signal });
release();
endBySignal(received());
