import { expect } from 'vitest';
import type { FixtureApi } from '../../../fixtures/api/index.js';
import type { SnapshotOptions } from '../../../src/index.js';
import { take, uuidOf } from './tree.js';

/** Takes a snapshot that fails at the second organisation, once: the first one is staged then. */
export async function interrupted(
  api: FixtureApi,
  root: string,
  options: Partial<SnapshotOptions> = {},
): Promise<void> {
  const match = { list: 'users', organizationUuid: uuidOf(api, 1), times: 1 };
  api.fault({ match, do: { type: 'answer', status: 503, body: {} } });
  const run = take(api, root, { concurrency: 1, ...options });
  await expect(run).rejects.toMatchObject({ exitCode: 75 });
}

/** The organisations of which users were asked for since then. */
export const askedSince = (api: FixtureApi, requests: number): string[] =>
  api.requests.slice(requests).flatMap(({ organizationUuid }) => organizationUuid ?? []);
