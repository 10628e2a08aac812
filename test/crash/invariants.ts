import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import process from 'node:process';
import { expect } from 'vitest';
import type { FixtureApi } from '../../fixtures/api/index.js';
import { type Manifest, readManifest, type Storage, verify } from '../../src/index.js';
import { memberships, rowsOf, servedMemberships } from '../snapshot/tree.js';

export const RUN_DATE = '2026-11-23';
const DUMP = resolve(import.meta.dirname, 'dump.mjs');

/** A dump in a process of its own. @returns its exit code, null when it was killed */
export async function dumpProcess(
  api: FixtureApi,
  environment: Record<string, string>,
  { preload, killed }: { preload?: string; killed?: (kill: () => void) => void } = {},
): Promise<number | null> {
  const child = spawn(process.execPath, [...(preload ? ['--import', preload] : []), DUMP], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...environment, URL: api.url, KEY: api.key, RUN_DATE },
  });
  killed?.(() => child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const [exitCode] = await once(child, 'close');
  if (exitCode !== null && exitCode !== 0) throw new Error(`the dump failed: ${stderr}`);
  return exitCode;
}

/** A manifest that says `complete` is one over its own data, whichever of the snapshots that is. */
export async function expectNoLie(storage: Storage, snapshots: readonly FixtureApi[]): Promise<void> {
  const manifest = await readManifest(storage, RUN_DATE);
  if (manifest?.status !== 'complete') return;
  const { findings } = await verify({ storage, runDate: RUN_DATE });
  // A run that was killed between its manifest and its log entry adds the entry when it goes on.
  expect(findings.filter(({ problem }) => problem !== 'log')).toEqual([]);
  const users = memberships(await rowsOf(storage, manifest, 'users'));
  expect(snapshots.map(servedMemberships)).toContainEqual(users);
}

/** What lies there is what was served, whole. */
export async function expectConverged(storage: Storage, api: FixtureApi): Promise<void> {
  const manifest = (await readManifest(storage, RUN_DATE)) as Manifest;
  expect(manifest.status).toBe('complete');
  expect(memberships(await rowsOf(storage, manifest, 'users'))).toEqual(servedMemberships(api));
  expect((await verify({ storage, all: true })).findings).toEqual([]);
}
