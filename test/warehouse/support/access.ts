import { join } from 'node:path';
import { type FixtureApi, startFixtureApi } from '../../../fixtures/api/index.js';
import {
  type AccessRow,
  effectiveAccess,
  LocalStorage,
  type Manifest,
  type SnapshotOptions,
  streams,
} from '../../../src/index.js';
import { take, uuidOf } from '../../run/support/tree.js';

/** What the library derives from a snapshot of a root. */
export async function accessIn(root: string, runDate: string): Promise<AccessRow[]> {
  const rows: AccessRow[] = [];
  const storage = new LocalStorage(root);
  for await (const batch of effectiveAccess({ storage, runDate, scratch: join(root, '_staging') }))
    rows.push(...batch);
  return rows;
}

/** Serves a directory in which some lists fail, the settings of one organisation are off, and a group has no list of roles. */
export async function startPartlyUnread(): Promise<FixtureApi> {
  const api = await startFixtureApi({ sizes: [40, 3, 25, 8] });
  const [first, second, third] = [0, 1, 2].map((index) => uuidOf(api, index));
  const groups = [...api.records('groups')];
  const given = new Set(groups.flatMap(({ roles }) => roles as string[] | null));
  const role = [...api.records('roles', first)].find(({ id }) => given.has(String(id)));
  const group = groups.find(({ roles }) => Array.isArray(roles) && !roles.includes(role?.id ?? null));
  for (const path of [
    `${second}/users`,
    `${third}/roles`,
    `${first}/roles/${role?.id}/permissions`,
    `${group?.id}/members`,
  ])
    api.fault({ match: { path: new RegExp(`${path}([?]|$)`) }, do: { type: 'data-null' } });
  api.switchSettings('off', first);
  return api;
}

/** All that can be read of it. */
export const takePartlyUnread = (
  api: FixtureApi,
  root: string,
  options: Partial<SnapshotOptions> = {},
): Promise<Manifest> =>
  take(api, root, { streams: streams.map(({ name }) => name), onOrgFailure: 'continue', ...options });
