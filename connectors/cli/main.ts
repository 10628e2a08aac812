#!/usr/bin/env node
import process from 'node:process';
import { endBySignal, untilSignal } from '../kit/signals.js';
import { runCommandLine } from './command-line.js';

const { signal, received, release } = untilSignal(['SIGINT', 'SIGTERM', 'SIGHUP']);
const { stdout, stderr, env: environment } = process;
let isLost = false;
stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE' || isLost) return; // the reader of our output left: nobody would read a message
  isLost = true;
  process.exitCode = 1;
  stderr.write(`error: Writing to stdout failed (${error.code}). [stdout_failed]\n`);
});
stderr.on('error', () => {}); // there is nowhere left to report it
const exitCode = await runCommandLine(process.argv.slice(2), { stdout, stderr, environment, signal });
process.exitCode ||= exitCode;
release();
endBySignal(received());
