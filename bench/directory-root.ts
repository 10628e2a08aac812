import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  createSink,
  type FileEntry,
  type FinishedFile,
  groupMembers,
  groups,
  LocalStorage,
  type Manifest,
  type ParentKey,
  type Row,
  rolePermissions,
  roles,
  type Stream,
  systemClock,
  users,
} from '../src/index.js';
import { publish, withDay } from '../src/lake/day.js';
import { totalsOf } from '../src/lake/manifest.js';
import { dateFolder, newRunId, partName, publishedKey } from '../src/lake/paths.js';
import { manifestOf, sliceOf } from '../test/root/support/day.js';

/** How large a directory is. */
export interface DirectorySize {
  users: number;
  organizations: number;
  groups: number;
  memberships: number;
}

const RUN_DATE = '2026-11-23';
const ROWS_PER_FILE = 500_000;
const BATCH = 1000;
const ROLES = 12;

/** A list, and how its rows are made. */
export interface List {
  parent: ParentKey;
  /** Of the pages as served; null: not known. */
  digest?: string;
  rows: number;
  row(index: number): Record<string, unknown>;
}

const padded = (n: number, length: number): string => String(n).padStart(length, '0');
const organizationId = (n: number): string => `0d5f9d7c-6d65-4c6f-8a0a-${padded(n, 12)}`;
const userId = (n: number): string => `user_01${padded(n, 22)}`;
const groupId = (n: number): string => `rbac_group_01${padded(n, 22)}`;
const roleId = (organization: number, n: number): string =>
  `rbac_role_01${padded(organization * ROLES + n, 22)}`;
const emailOf = (n: number): string => `given.family${n}@example.com`;

/** The lists of every table. Of the members of a group, every second one is of the organisation whose roles it gives. */
function tablesOf(size: DirectorySize): Map<Stream, List[]> {
  const per = size.users / size.organizations;
  const members = size.memberships / size.groups;
  const times = { created_at: '2025-03-12T18:22:41.123456', updated_at: null };
  const each = <T>(count: number, make: (n: number) => T): T[] =>
    Array.from({ length: count }, (_, n) => make(n));
  const organizations = each(size.organizations, (n) => n);
  const memberOf = (group: number, n: number): number => {
    const base = (group % size.organizations) * per;
    if (n % 2 === 0) return base + (((n / 2) * 7) % per);
    return (base + per + ((group * 7919 + n * 104_729) % (size.users - per))) % size.users;
  };
  const rolesOf = (group: number): string[] =>
    each(1 + (group % 3), (n) =>
      roleId((group + (n === 2 ? 1 : 0)) % size.organizations, (group + n) % ROLES),
    );

  return new Map<Stream, List[]>([
    [
      users,
      organizations.map((o) => ({
        parent: { organization_uuid: organizationId(o) },
        rows: per,
        row(k) {
          // A twentieth of an organisation are members of the one before it as well.
          const n = k < per / 20 ? (o * per - per + k + size.users) % size.users : o * per + k;
          const email = emailOf(n);
          return {
            id: userId(n),
            full_name: `Given Family-${n}`,
            email,
            organization_role: 'user',
            ...times,
          };
        },
      })),
    ],
    [
      roles,
      organizations.map((o) => ({
        parent: { organization_uuid: organizationId(o) },
        rows: ROLES,
        row: (k) => ({ id: roleId(o, k), name: `Role ${k}`, description: null, ...times }),
      })),
    ],
    [
      rolePermissions,
      organizations.flatMap((o) =>
        each(ROLES, (r) => ({
          parent: { organization_uuid: organizationId(o), role_id: roleId(o, r) },
          rows: r % 9,
          row: (k: number) => ({
            action: k === 7 ? 'capability_access_all' : `feature_${k}`,
            resource_type: 'organization',
            resource_id: organizationId(o),
          }),
        })),
      ),
    ],
    [
      groups,
      [
        {
          parent: {},
          rows: size.groups,
          row: (g) => ({
            id: groupId(g),
            name: `Group ${g}`,
            source_type: 'scim',
            roles: rolesOf(g),
            ...times,
          }),
        },
      ],
    ],
    [
      groupMembers,
      each(size.groups, (g) => ({
        parent: { group_id: groupId(g) },
        rows: members,
        row: (k: number) => ({ user_id: userId(memberOf(g, k)), email: emailOf(memberOf(g, k)), ...times }),
      })),
    ],
  ]);
}

/** Publishes a made-up directory. @returns its manifest */
export const publishDirectory = (root: string, format: string, size: DirectorySize): Promise<Manifest> =>
  publishTables(root, { format, runDate: RUN_DATE, tables: tablesOf(size) });

/** A day that is made up. */
export interface MadeUpDay {
  format: string;
  runDate: string;
  tables: ReadonlyMap<Stream, readonly List[]>;
  /** Default 500,000. */
  rowsPerFile?: number;
}

/** Publishes a day in the layout whose files are the largest. @returns its manifest */
export async function publishTables(root: string, made: MadeUpDay): Promise<Manifest> {
  const { format, runDate, rowsPerFile = ROWS_PER_FILE } = made;
  const staging = new LocalStorage(`${root}-staged`);
  await mkdir(staging.localRoot, { recursive: true });
  const storage = new LocalStorage(root);
  const runId = newRunId(systemClock.now());
  return await withDay({ storage, runDate, runId, clock: systemClock, signal: undefined }, async (day) => {
    const files: FinishedFile[] = [];
    const tables: Manifest['tables'] = {};
    for (const [stream, lists] of made.tables) {
      const entries = await writeTable({
        staging,
        format,
        runDate,
        stream,
        lists,
        rowsPerFile,
        runId,
        files,
      });
      const rows = entries.reduce((sum, entry) => sum + entry.rows, 0);
      const columns = stream.schema.fields.map(({ name }) => name);
      const slices = lists.map(({ parent, rows, digest = null }) => ({
        ...sliceOf(parent, rows, []),
        pages_sha256: digest,
      }));
      tables[stream.name] = { layout: 'per-date', columns, rows, files: entries, slices };
    }
    const manifest: Manifest = { ...manifestOf(day), format, tables, totals: totalsOf(tables) };
    await publish(day, manifest, files);
    return manifest;
  });
}

interface TableWriting {
  staging: LocalStorage;
  format: string;
  runDate: string;
  stream: Stream;
  lists: readonly List[];
  rowsPerFile: number;
  runId: string;
  /** Takes the files that were written. */
  files: FinishedFile[];
}

async function writeTable({
  staging,
  format,
  runDate,
  stream,
  lists,
  rowsPerFile,
  runId,
  files,
}: TableWriting): Promise<FileEntry[]> {
  const sink = createSink(format);
  const rows = rowsOf(stream, lists, runDate);
  const entries: FileEntry[] = [];
  for (let next = rows.next(); !next.done; ) {
    let taken = 0;
    async function* part(): AsyncGenerator<Row[]> {
      while (!next.done && taken < rowsPerFile) {
        const batch: Row[] = [];
        for (; !next.done && batch.length < BATCH && taken < rowsPerFile; taken += 1, next = rows.next())
          batch.push(next.value);
        yield batch;
      }
    }
    const path = `${dateFolder(stream.name, runDate)}/${partName(entries.length, sink.extension)}`;
    const written = await staging.stage(path, sink.encode(stream.schema, part()));
    const key = publishedKey(path, runId);
    files.push({ key, path: join(staging.localRoot, path), ...written });
    entries.push({ path: key, rows: taken, ...written });
  }
  return entries;
}

function* rowsOf({ schema }: Stream, lists: readonly List[], runDate: string): Generator<Row> {
  for (const { parent, rows, row } of lists) {
    for (let k = 0; k < rows; k += 1) {
      const values: Record<string, unknown> = { ...parent, ...row(k), snapshot_date: runDate };
      yield Object.fromEntries(schema.fields.map(({ name }) => [name, values[name] ?? null])) as Row;
    }
  }
}
