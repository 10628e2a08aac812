import { hostname } from 'node:os';
import { z } from 'zod';
import type { Clock } from '../clock.js';
import { LockedError } from '../errors.js';
import { isKnownDead, thisProcess } from '../process-identity.js';
import { once, type Storage } from '../storage/storage.js';
import { jsonBytes, parseJson, readText } from './json-file.js';
import { LEASES, leaseKey } from './paths.js';

/** A lease outlives its owner by at most this, in milliseconds; it is renewed three times as often. */
export const LEASE_MS = 60_000;

const leaseFile = z.strictObject({
  run_id: z.string(),
  host: z.string(),
  pid: z.int(),
  process: z.string(),
  renewals: z.int(),
  expires_at: z.iso.datetime(),
  /** Who held the lease before and never released it: should the owner die as well, they are not forgotten. */
  dead_runs: z.array(z.string()),
});
type LeaseFile = z.infer<typeof leaseFile>;

/**
 * A lease on one run date of one root. It saves budget: the second of two runs learns at once that it is one too many.
 * Nothing correct depends on it; what decides between two runs is the log.
 */
export interface Lease {
  /** The runs that held the lease before and never released it. */
  readonly deadRuns: readonly string[];
  /** Aborts when another run has taken over, because this one stood still for too long. */
  readonly lost: AbortSignal;
  /** Finds out whether another run has taken over: then `lost` aborts. @throws StorageError */
  confirm(): Promise<void>;
  /** The dead runs are abandoned: whoever takes over this lease need not do it again. */
  forgetDeadRuns(): void;
  /** The day is not in order: `release` then leaves the lease to expire, so that whoever comes next finds it. */
  keep(): void;
  release(): Promise<void>;
}

export interface LeaseRequest {
  storage: Storage;
  runDate: string;
  runId: string;
  clock: Clock;
  signal?: AbortSignal | undefined;
}

/** @throws LockedError when another run holds it */
export async function acquireLease(request: LeaseRequest): Promise<Lease> {
  const { storage, runDate, runId, clock } = request;
  const key = leaseKey(runDate);
  let renewals = 0;
  let isKept = false;
  let deadRuns: readonly string[] = [];
  const own = (): Uint8Array =>
    jsonBytes({
      run_id: runId,
      host: hostname(),
      pid: process.pid,
      process: thisProcess,
      renewals,
      expires_at: new Date(clock.now() + LEASE_MS).toISOString(),
      dead_runs: [...deadRuns],
    } satisfies LeaseFile);
  const isOurs = async (): Promise<boolean> => (await readLease(storage, key))?.run_id === runId;

  if (!(await storage.create(key, own()))) {
    const holder = await readLease(storage, key);
    if (holder && !(await isDead(holder, request))) throw heldBy(request, holder);
    if (holder) deadRuns = [...holder.dead_runs, holder.run_id];
    await storage.write(key, once(own()));
    if (!(await isOurs())) throw heldBy(request, await readLease(storage, key));
  }
  const lost = new AbortController();
  const confirm = async (): Promise<void> => {
    if (!(await isOurs())) lost.abort(takenOver(request));
  };
  const renewing = new AbortController();
  const renewal = renew();

  async function renew(): Promise<void> {
    while (!lost.signal.aborted) {
      try {
        await clock.sleep(LEASE_MS / 3, renewing.signal);
        await confirm();
        if (lost.signal.aborted) return;
        renewals += 1;
        await storage.write(key, once(own()));
      } catch {
        // Ended, or the storage cannot be reached: then the lease expires, and the log decides.
        if (renewing.signal.aborted) return;
      }
    }
  }

  return {
    deadRuns,
    lost: lost.signal,
    confirm,
    forgetDeadRuns() {
      deadRuns = [];
    },
    keep() {
      isKept = true;
    },
    async release() {
      renewing.abort();
      await renewal;
      if (!isKept && (await isOurs())) await storage.remove(key);
    },
  };
}

/**
 * The run dates whose lease was never released and whose owner is dead: known to be, or not renewed for so long that no
 * difference between two clocks explains it.
 */
export async function deadLeases(request: Omit<LeaseRequest, 'runDate'>): Promise<string[]> {
  const { storage } = request;
  const dead: string[] = [];
  for await (const { key } of storage.list(LEASES)) {
    const runDate = /\/(\d{4}-\d{2}-\d{2})\.json$/.exec(key)?.[1];
    if (runDate === undefined) continue;
    const holder = await readLease(storage, key);
    if (holder && isExpired(holder, request.clock, CLOCK_DIFFERENCE_MS)) dead.push(runDate);
  }
  return dead;
}

async function readLease(storage: Storage, key: string): Promise<LeaseFile | undefined> {
  const text = await readText(storage, key);
  return text === undefined ? undefined : leaseFile.safeParse(parseJson(text)).data;
}

/** How far two clocks may differ, in milliseconds. */
const CLOCK_DIFFERENCE_MS = 10 * 60_000;

const isExpired = ({ process, expires_at }: LeaseFile, clock: Clock, since = 0): boolean =>
  isKnownDead(process) || Date.parse(expires_at) + since <= clock.now();

/**
 * A lease that ends later than any lease given now was written by a clock that is wrong: what counts then is whether
 * somebody renews it.
 */
async function isDead(
  holder: LeaseFile,
  { storage, runDate, clock, signal }: LeaseRequest,
): Promise<boolean> {
  if (isExpired(holder, clock)) return true;
  if (Date.parse(holder.expires_at) <= clock.now() + 2 * LEASE_MS) return false;
  await clock.sleep(LEASE_MS / 2, signal);
  const now = await readLease(storage, leaseKey(runDate));
  return now?.run_id === holder.run_id && now.renewals === holder.renewals;
}

const takenOver = ({ storage, runDate }: LeaseRequest): LockedError =>
  new LockedError(
    `Another run took over ${runDate} in ${storage.location} while this one stood still. Run the same command again when the other one has ended.`,
  );

function heldBy({ storage, runDate }: LeaseRequest, holder: LeaseFile | undefined): LockedError {
  const what = `${runDate} in ${storage.location}`;
  if (!holder) return new LockedError(`Another run has just taken the lock for ${what}. Try again later.`);
  const { run_id, pid, host, expires_at } = holder;
  return new LockedError(
    `Run ${run_id} (pid ${pid} on ${host}) holds the lock for ${what}; it expires at ${expires_at} unless renewed. Try again later.`,
  );
}
