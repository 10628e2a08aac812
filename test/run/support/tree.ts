import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FixtureApi } from '../../../fixtures/api/index.js';
import {
  ComplianceClient,
  createSink,
  LocalStorage,
  type Manifest,
  manifestFiles,
  type SnapshotOptions,
  type Storage,
  snapshot,
} from '../../../src/index.js';

export { temporaryFolder } from './temporary-folder.js';

/** The run date of a test, unless it says another one. */
export const RUN_DATE = '2026-11-23';

/** A client of a fixture, without a budget of its own and without waiting between attempts. */
export const clientOf = (api: FixtureApi, options: object = {}): ComplianceClient =>
  new ComplianceClient({
    apiKey: api.key,
    baseUrl: api.url,
    requestsPerMinute: 0,
    maxRetries: 0,
    ...options,
  });

/** A snapshot of organisations and users, as NDJSON into a folder, of any date, unless the options say otherwise. */
export async function take(
  api: FixtureApi,
  root: string,
  options: Partial<SnapshotOptions> = {},
): Promise<Manifest> {
  await using client = clientOf(api);
  const [manifest] = await snapshot({
    client,
    sink: createSink('ndjson'),
    storage: new LocalStorage(root),
    runDate: RUN_DATE,
    backDated: true,
    streams: ['organizations', 'users'],
    ...options,
  });
  return manifest as Manifest;
}

/** Every file below a folder, with its SHA-256. */
export async function filesBelow(root: string): Promise<Record<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const hashed = await Promise.all(
    paths.sort().map(async (path) => [
      path.slice(root.length + 1),
      createHash('sha256')
        .update(await readFile(path))
        .digest('hex'),
    ]),
  );
  return Object.fromEntries(hashed);
}

/** The files of the tables of a root, with their SHA-256. */
export async function dataBelow(root: string): Promise<Record<string, string>> {
  const files = Object.entries(await filesBelow(root));
  return Object.fromEntries(files.filter(([path]) => !path.startsWith('_')));
}

/** The names of the staged runs in a folder. */
export const stagedRuns = async (staging: string): Promise<string[]> =>
  (await readdir(staging).catch(() => [])).filter((name) => name !== 'tmp');

type JsonRow = Record<string, unknown>;

/** The rows of one table as its NDJSON files hold them, in the order of the manifest. */
export async function rowsOf(root: string | Storage, manifest: Manifest, table: string): Promise<JsonRow[]> {
  const storage = typeof root === 'string' ? new LocalStorage(root) : root;
  const rows: JsonRow[] = [];
  for (const path of pathsOf(manifest, table)) {
    const lines = (await textOf(storage, path)).split('\n').filter((line) => line !== '');
    rows.push(...lines.map((line) => JSON.parse(line) as JsonRow));
  }
  return rows;
}

/** The paths of the files of one table, in the order of the manifest. */
export const pathsOf = (manifest: Manifest, table: string): string[] =>
  manifestFiles(manifest)
    .filter((file) => file.table === table)
    .map(({ path }) => path);

/** The keys of the memberships that the fixture serves, in order. */
export const servedMemberships = (api: FixtureApi): string[] =>
  api.organizations().flatMap(({ uuid }) => [...api.users(String(uuid))].map(({ id }) => `${uuid} ${id}`));

export const memberships = (rows: readonly JsonRow[]): string[] =>
  rows.map(({ organization_uuid, id }) => `${organization_uuid} ${id}`);

/** The UUID of an organisation of a fixture, by its place. */
export const uuidOf = (api: FixtureApi, index: number): string => String(api.organizations()[index]?.uuid);

/** One object as text. */
export async function textOf(storage: Storage, key: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of storage.read(key)) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
