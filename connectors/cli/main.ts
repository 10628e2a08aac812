#!/usr/bin/env node
import process from 'node:process';
import { runCommandLine } from './command-line.js';
import { endBySignal, untilSignal } from './signals.js';

const { signal, received, release } = untilSignal(['SIGINT', 'SIGTERM', 'SIGHUP']);
const { stdout, stderr, env: environment } = process;
let isLost = false;
stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE' || isLost) return; // who reads our output may leave: then there is nobody to tell
  isLost = true;
  process.exitCode = 1;
  stderr.write(`error: Writing to stdout failed (${error.code}). [stdout_failed]\n`);
});
stderr.on('error', () => {}); // there is nowhere left to tell it
const exitCode = await runCommandLine(process.argv.slice(2), { stdout, stderr, environment, signal });
process.exitCode ||= exitCode;
release();
endBySignal(received());
