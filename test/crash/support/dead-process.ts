import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { thisProcess } from '../../../src/process-identity.js';

const { pid } = spawnSync(process.execPath, ['--version']);

/** The identity of a process of this machine that has ended. */
export const deadProcess: string = thisProcess.replace(/^\d+/, String(pid));
