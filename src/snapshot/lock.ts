import { hostname } from 'node:os';
import { z } from 'zod';
import type { Clock } from '../clock.js';
import { ComplianceError } from '../errors.js';
import { isKnownDead, thisProcess } from '../process-identity.js';
import { once, type Storage } from '../storage/storage.js';
import { jsonBytes, parseJson, readText } from './json-file.js';
import { runFolder } from './partition.js';

/** A lock outlives its holder by at most this, in milliseconds; it is renewed three times as often. */
export const LOCK_EXPIRES_AFTER = 60_000;

const lockFile = z.object({
  run_id: z.string(),
  host: z.string(),
  pid: z.int(),
  process_space: z.string(),
  expires_at: z.iso.datetime(),
});
type LockFile = z.infer<typeof lockFile>;

/** Another run holds the run date. */
export class LockedError extends ComplianceError {
  constructor(message: string) {
    super(message, { code: 'locked', failure: 'transient' });
  }
}

/** The right to change one run date of one root. */
export interface Lock {
  /** A fencing number: the highest of a run date holds. */
  readonly number: number;
  /** @throws LockedError when a later run has taken over, because this one was believed dead. */
  check(): Promise<void>;
  release(): Promise<void>;
}

interface LockRequest {
  storage: Storage;
  runDate: string;
  runId: string;
  clock: Clock;
}

/**
 * Takes the lock of a run date: creates the number after the highest. A lock is never deleted and never taken
 * back, because two could then win; it is released by a file beside it, or by its expiry.
 * @throws LockedError when another run holds it
 */
export async function acquireLock({ storage, runDate, runId, clock }: LockRequest): Promise<Lock> {
  const folder = `${runFolder(runDate)}/lock`;
  const describe = (): LockFile => ({
    run_id: runId,
    host: hostname(),
    pid: thisProcess.pid,
    process_space: thisProcess.space,
    expires_at: new Date(clock.now() + LOCK_EXPIRES_AFTER).toISOString(),
  });
  const { highest, released } = await survey(storage, folder);
  if (highest > 0 && !released) {
    const text = await readText(storage, `${folder}/${highest}.json`);
    const holder = text === undefined ? undefined : lockFile.safeParse(parseJson(text)).data;
    if (holder && Date.parse(holder.expires_at) > clock.now() && !isDead(holder)) {
      throw lockedBy(storage, runDate, holder);
    }
  }
  const number = highest + 1;
  const key = `${folder}/${number}.json`;
  if (!(await storage.create(key, jsonBytes(describe())))) {
    throw new LockedError(
      `Another run has just taken ${runDate} in ${storage.location}. Try again when it has ended.`,
    );
  }
  const renewing = new AbortController();
  const renewal = renew();

  async function renew(): Promise<void> {
    while (true) {
      try {
        await clock.sleep(LOCK_EXPIRES_AFTER / 3, renewing.signal);
        await storage.write(key, once(jsonBytes(describe())));
      } catch {
        // Ended, or the storage is out of reach: then the lock runs out, and `check` finds the successor.
        if (renewing.signal.aborted) return;
      }
    }
  }

  return {
    number,
    async check() {
      const current = await survey(storage, folder);
      if (current.highest === number) return;
      throw new LockedError(
        `A later run took over ${runDate} in ${storage.location} while this one stood still. Nothing more is published by this one.`,
      );
    },
    async release() {
      renewing.abort();
      await renewal;
      await storage.create(`${folder}/${number}.released`, jsonBytes({ run_id: runId }));
    },
  };
}

/** A run that has lost its lock to another fails in many ways; this is the one to tell. */
export async function lostLock(locks: Iterable<Lock>): Promise<LockedError | undefined> {
  for (const lock of locks) {
    const lost = await lock.check().catch((error: unknown) => error);
    if (lost instanceof LockedError) return lost;
  }
  return undefined;
}

/**
 * Changes one run date while holding its lock; without one where the storage has none.
 * @throws LockedError, and what the work throws
 */
export async function underLock<T>(
  { isLocked, ...request }: LockRequest & { isLocked: boolean },
  work: (lock: Lock | undefined) => Promise<T>,
): Promise<T> {
  if (!isLocked) return await work(undefined);
  await request.storage.probe?.();
  const lock = await acquireLock(request);
  try {
    return await work(lock);
  } catch (error) {
    throw (await lostLock([lock])) ?? error;
  } finally {
    await lock.release().catch(() => undefined); // one that cannot be released runs out by itself
  }
}

async function survey(storage: Storage, folder: string): Promise<{ highest: number; released: boolean }> {
  let highest = 0;
  const released = new Set<number>();
  for await (const { key } of storage.list(folder)) {
    const [, number, ending] = /\/(\d+)\.(json|released)$/.exec(key) ?? [];
    if (ending === 'released') released.add(Number(number));
    else if (ending === 'json') highest = Math.max(highest, Number(number));
  }
  return { highest, released: released.has(highest) };
}

/** A holder on this machine whose process has ended need not be waited for. */
const isDead = ({ pid, process_space }: LockFile): boolean => isKnownDead({ pid, space: process_space });

function lockedBy(
  storage: Storage,
  runDate: string,
  { run_id, host, pid, expires_at }: LockFile,
): LockedError {
  return new LockedError(
    `${runDate} in ${storage.location} is held by run ${run_id} (process ${pid} on ${host}, until ${expires_at} unless it lives on). Try again when it has ended.`,
  );
}
