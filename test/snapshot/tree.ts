import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FixtureApi } from '../../fixtures/api/index.js';
import {
  ComplianceClient,
  createSink,
  LocalStorage,
  type Manifest,
  manifestFiles,
  type SnapshotOptions,
  type Storage,
  snapshot,
} from '../../src/index.js';

/** A folder that is gone when its test ends. */
export async function temporaryFolder(): Promise<{ path: string; [Symbol.asyncDispose](): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'compliance-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** A client of a fixture, without a budget of its own and without waiting between attempts. */
export const clientOf = (api: FixtureApi, options: object = {}): ComplianceClient =>
  new ComplianceClient({
    apiKey: api.key,
    baseUrl: api.url,
    requestsPerMinute: 0,
    maxRetries: 0,
    ...options,
  });

/** A snapshot as NDJSON into a folder. */
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
    runDate: '2026-11-23',
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

/** A root whose user is stopped just when files would be put in place. */
export class CutShort extends LocalStorage {
  override replaceFolder(): Promise<void> {
    return Promise.reject(new Error('cut'));
  }
}

type JsonRow = Record<string, unknown>;

/** The rows of one table as its NDJSON files hold them, in the order of the manifest. */
export async function rowsOf(root: string | Storage, manifest: Manifest, table: string): Promise<JsonRow[]> {
  const storage = typeof root === 'string' ? new LocalStorage(root) : root;
  const rows: JsonRow[] = [];
  for (const file of manifestFiles(manifest).filter((entry) => entry.table === table)) {
    const lines = (await textOf(storage, file.path)).split('\n').filter((line) => line !== '');
    rows.push(...lines.map((line) => JSON.parse(line) as JsonRow));
  }
  return rows;
}

/** The keys of the memberships that the fixture serves, in order. */
export const servedMemberships = (api: FixtureApi): string[] =>
  api.organizations().flatMap(({ uuid }) => [...api.users(String(uuid))].map(({ id }) => `${uuid} ${id}`));

export const memberships = (rows: readonly JsonRow[]): string[] =>
  rows.map(({ organization_uuid, id }) => `${organization_uuid} ${id}`);

/** One object as text. */
export async function textOf(storage: Storage, key: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of storage.read(key)) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
