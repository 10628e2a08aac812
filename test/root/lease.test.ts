import { spawnSync } from 'node:child_process';
import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/clock.js';
import { acquireLease, deadLeases, LEASE_MS, type LeaseRequest } from '../../src/lake/lease.js';
import { leaseKey } from '../../src/lake/paths.js';
import { thisProcess } from '../../src/process-identity.js';
import { type FakeClock, fakeClock } from '../client/fake-clock.js';
import { RUN_DATE } from './support/day.js';
import { MemoryStorage } from './support/memory-storage.js';

const KEY = leaseKey(RUN_DATE);
const START = Date.UTC(2026, 10, 23, 12);

/** The same time, some milliseconds later or earlier on the wall. */
const wallOf = (clock: Clock, by: number): Clock => ({ ...clock, now: () => clock.now() + by });

function place(storage = new MemoryStorage(), clock: FakeClock = fakeClock({ start: START })) {
  const request = (runId: string, by = 0): LeaseRequest => ({
    storage,
    runDate: RUN_DATE,
    runId,
    clock: wallOf(clock, by),
  });
  return { storage, clock, acquire: (runId: string, by = 0) => acquireLease(request(runId, by)) };
}

const holderIn = (storage: MemoryStorage) => JSON.parse(storage.text(KEY) ?? '{}');

/** Of a process of this machine that has ended. */
function deadProcess(): string {
  const { pid } = spawnSync(process.execPath, ['--version']);
  return thisProcess.replace(/^\d+/, String(pid));
}

describe('the lease of a day', () => {
  it('is held by one run: the next one learns who it is, and is to try later', async () => {
    const { storage, acquire } = place();
    const lease = await acquire('first');
    await expect(acquire('second')).rejects.toMatchObject({
      name: 'LockedError',
      code: 'locked',
      exitCode: 75,
      message: `Run first (pid ${process.pid} on ${hostname()}) holds the lock for ${RUN_DATE} in memory://root; it expires at 2026-11-23T12:01:00.000Z unless renewed. Try again later.`,
    });
    expect(holderIn(storage).run_id).toBe('first');
    await lease.release();
    expect(storage.objects.size).toBe(0);
    const next = await acquire('third');
    expect(next.deadRuns).toEqual([]);
    await next.release();
  });

  it('is given to one of many that ask at the same time', async () => {
    const { acquire } = place();
    const asked = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => acquire(`run-${i}`)));
    const leases = asked.filter((result) => result.status === 'fulfilled').map(({ value }) => value);
    expect(leases).toHaveLength(1);
    await leases[0]?.release();
  });

  it('is renewed for as long as the run works, and then released', async () => {
    const { storage, clock, acquire } = place();
    const lease = await acquire('working');
    await clock.run(clock.sleep(10 * LEASE_MS));
    expect(Date.parse(holderIn(storage).expires_at)).toBeGreaterThan(clock.now());
    await expect(acquire('second')).rejects.toMatchObject({ code: 'locked' });
    expect(lease.lost.aborted).toBe(false);
    await lease.release();
    expect(clock.waiting).toBe(0);
  });

  it('is taken over when it has expired, and who held it is known', async () => {
    const { storage, acquire } = place();
    const asleep = await acquire('asleep');
    const next = await acquire('next', LEASE_MS);
    expect(next.deadRuns).toEqual(['asleep']);
    expect(holderIn(storage).run_id).toBe('next');
    await asleep.release(); // it is not its own any more
    expect(holderIn(storage).run_id).toBe('next');
    await next.release();
    expect(storage.objects.size).toBe(0);
  });

  it('that was taken over ends the work of the run that held it before', async () => {
    const { clock, acquire } = place();
    const asleep = await acquire('asleep');
    const next = await acquire('next', LEASE_MS);
    expect(asleep.lost.aborted).toBe(false);
    await clock.run(clock.sleep(LEASE_MS));
    expect(asleep.lost.reason).toMatchObject({ name: 'LockedError', code: 'locked', exitCode: 75 });
    expect(asleep.lost.reason.message).toContain('Run the same command again when the other one has ended');
    expect(next.lost.aborted).toBe(false);
    await Promise.all([asleep.release(), next.release()]);
  });

  it('of a process of this machine that has ended is taken over at once', async () => {
    const { storage, acquire } = place();
    const lease = await acquire('dead');
    const holder = holderIn(storage);
    await lease.release();
    storage.plant(KEY, JSON.stringify({ ...holder, process: deadProcess() }));
    const next = await acquire('next');
    expect(next.deadRuns).toEqual(['dead']);
    await next.release();
  });

  it('of a process of another machine is waited for, whatever its pid', async () => {
    const { storage, acquire } = place();
    const lease = await acquire('elsewhere');
    const elsewhere = deadProcess().replace(/[0-9a-f]{12}$/, '0123456789ab');
    storage.plant(KEY, JSON.stringify({ ...holderIn(storage), process: elsewhere }));
    await expect(acquire('next')).rejects.toMatchObject({ code: 'locked' });
    await lease.release();
  });

  it('names every run that held it and never released it', async () => {
    const { acquire } = place();
    const leases = [await acquire('first'), await acquire('second', LEASE_MS)];
    const third = await acquire('third', 2 * LEASE_MS);
    expect(third.deadRuns).toEqual(['first', 'second']);
    for (const lease of [...leases, third]) await lease.release();
  });

  it('stays where it is when the day is not in order, and is not renewed', async () => {
    const { storage, clock, acquire } = place();
    const lease = await acquire('failed');
    lease.keep();
    await lease.release();
    expect(clock.waiting).toBe(0);
    expect(holderIn(storage).run_id).toBe('failed');
    const next = await acquire('next', LEASE_MS);
    expect(next.deadRuns).toEqual(['failed']);
    await next.release();
  });

  it.each(['', '{"run_id":"cu', '{"run_id":"old"}'])(
    'that nobody can read (%j) is taken over',
    async (text) => {
      const { storage, acquire } = place();
      storage.plant(KEY, text);
      const next = await acquire('next');
      expect(next.deadRuns).toEqual([]);
      await next.release();
    },
  );
});

describe('a lease that was written by a clock in 2099', () => {
  const IN_2099 = Date.UTC(2099, 0, 1) - START;

  it('is observed: when nobody renews it, it is taken over', async () => {
    const { storage, clock, acquire } = place();
    const dead = await acquire('dead', IN_2099);
    dead.keep();
    await dead.release();
    const began = clock.now();
    const next = await clock.run(acquire('next'));
    expect(clock.now() - began).toBeLessThan(LEASE_MS);
    expect(next.deadRuns).toEqual(['dead']);
    expect(Date.parse(holderIn(storage).expires_at)).toBe(clock.now() + LEASE_MS);
    await next.release();
  });

  it('is held when somebody renews it', async () => {
    const { clock, acquire } = place();
    const working = await acquire('working', IN_2099);
    await expect(clock.run(acquire('next'))).rejects.toMatchObject({ code: 'locked' });
    expect(working.lost.aborted).toBe(false);
    await working.release();
  });

  it('is not waited for any longer than the caller wants', async () => {
    const { clock, storage } = place();
    const dead = await acquireLease({
      storage,
      runDate: RUN_DATE,
      runId: 'dead',
      clock: wallOf(clock, IN_2099),
    });
    dead.keep();
    await dead.release();
    const ending = new AbortController();
    const next = acquireLease({ storage, runDate: RUN_DATE, runId: 'next', clock, signal: ending.signal });
    setImmediate(() => ending.abort(new Error('ended')));
    await expect(next).rejects.toThrow('ended');
    expect(holderIn(storage).run_id).toBe('dead');
  });
});

it('the days of dead leases are found, and of no other', async () => {
  const storage = new MemoryStorage();
  const clock = fakeClock({ start: START });
  const lease = async (runDate: string, by: number) =>
    await acquireLease({ storage, runDate, runId: runDate, clock: wallOf(clock, by) });
  const expired = await lease('2026-11-20', -LEASE_MS - 10 * 60_000);
  const held = await lease('2026-11-21', 0);
  const recent = await lease('2026-11-19', -LEASE_MS - 9 * 60_000); // a clock may be that slow
  const released = await lease('2026-11-22', -LEASE_MS);
  expired.keep();
  for (const ended of [expired, released]) await ended.release();
  storage.plant('_runs/leases/README.md', 'mine');
  storage.plant('_runs/leases/2026-11-24.json', 'cut');
  expect(await deadLeases({ storage, runId: 'next', clock })).toEqual(['2026-11-20']);
  await Promise.all([held.release(), recent.release()]);
});

it('a lease that cannot be renewed is not lost before another run has it', async () => {
  let isDown = false;
  class Shaky extends MemoryStorage {
    override async write(key: string, bytes: AsyncIterable<Uint8Array>) {
      if (isDown) throw new Error('down');
      return await super.write(key, bytes);
    }
  }
  const { clock, acquire, storage } = place(new Shaky());
  const lease = await acquire('working');
  isDown = true;
  await clock.run(clock.sleep(5 * LEASE_MS));
  expect(lease.lost.aborted).toBe(false);
  isDown = false;
  await clock.run(clock.sleep(LEASE_MS));
  expect(Date.parse(holderIn(storage).expires_at)).toBeGreaterThan(clock.now());
  await lease.release();
});
