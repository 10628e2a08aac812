import { thisProcess } from '../src/process-identity.js';

// A program of test/process-identity.test.ts: says who it is, and runs until it is killed or its input ends.
process.stdout.write(`${thisProcess}\n`);
process.stdin.resume();
