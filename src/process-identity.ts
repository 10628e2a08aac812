import { createHash } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Names a process so that others of the same machine can tell whether it still lives. */
export interface ProcessIdentity {
  pid: number;
  /** Where the pid means something: the machine, or the container on it. */
  space: string;
}

const space = createHash('sha256').update(`${hostname()} ${pidNamespace()}`).digest('hex').slice(0, 12);

export const thisProcess: ProcessIdentity = { pid: process.pid, space };

/** True only for what is known: a process elsewhere may be alive. */
export const isKnownDead = (identity: ProcessIdentity): boolean =>
  identity.space === space && !isAlive(identity.pid);

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Containers may share a host name; on Linux the pid namespace tells them apart. */
function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}
