import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';

/**
 * Names this process so that others can find out whether it still runs: `<pid>.<start time>.<space>`. It is opaque to
 * everybody else, and may be part of a file name. The space says where the pid has a meaning: one boot of one kernel, and
 * one pid namespace (a container) in it. The start time, in the kernel's ticks since its boot, tells this process from
 * a later one with the same pid. Source of both: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
 */
export const thisProcess = `${process.pid}.${startTimeOf('self') ?? 0}.${findSpace()}`;

/** What `thisProcess` looks like, for a larger expression: it has no groups. */
export const PROCESS_PATTERN = String.raw`\d{1,10}\.\d+\.[0-9a-f]{12}`;

/**
 * True only for what is known: the process ran in this space, and it is gone, or its pid belongs to a later process.
 * A process elsewhere may be alive; so may every process where there is no /proc.
 */
export function isKnownDead(identity: string): boolean {
  if (!WHOLE.test(identity)) return false;
  const [pid = '', startTime, space] = identity.split('.');
  if (space !== thisProcess.split('.')[2]) return false;
  if (isGone(Number(pid))) return true;
  const found = startTimeOf(pid);
  return found !== undefined && found !== startTime;
}

const WHOLE = new RegExp(`^${PROCESS_PATTERN}$`);

/** Only the kernel's "no such process" counts: /proc may hide the processes of other users. */
function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/** Field 22. Field 2 is the name of the command in parentheses, which may hold spaces and parentheses itself. */
function startTimeOf(pid: string): string | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[22 - 3];
}

/** A value of its own where the kernel does not say: no other process then claims to know whether this one runs. */
function findSpace(): string {
  const boot = readText('/proc/sys/kernel/random/boot_id');
  const namespace = pidNamespace();
  const place = boot && namespace ? `${boot.trim()} ${namespace}` : randomUUID();
  return createHash('sha256').update(place).digest('hex').slice(0, 12);
}

/** `pid:[4026531836]` */
function pidNamespace(): string | undefined {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return undefined;
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
