import { z } from 'zod';
import { streams } from '../streams/index.js';
import { ancestorsOf } from '../streams/stream.js';

const count = z.int().min(0);
const instant = z.iso.datetime({ precision: 3 });
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const requestId = z
  .string()
  .nullable()
  .describe('As served, where it has the form of one; malformed otherwise. null: none was served.');
const connector = z.strictObject({ name: z.string(), version: z.string(), node: z.string() });

/** One data file, named relative to the root. */
const fileEntry = z.strictObject({ path: z.string(), rows: count, bytes: count, sha256 });
export type FileEntry = z.infer<typeof fileEntry>;

/** What a chain of custody needs of one walk through a list, for which the API has no checksum. */
const evidence = {
  endpoint: z.string().describe('The path that was requested, without the host.'),
  parameters: z.record(z.string(), z.string()).describe('The query, without page tokens.'),
  rows: count,
  pages: count,
  duplicates: count.describe('Records that the API served again in the same walk, and that were dropped.'),
  differing: count.describe(
    'Records that were served again with other values, also where the walk had to start again. The files hold the values that were served first.',
  ),
  surrogates_repaired: count.describe('Texts in which a lone surrogate became U+FFFD.'),
  first_request_id: requestId,
  last_request_id: requestId,
  first_request_at: instant.nullable(),
  last_request_at: instant.nullable(),
  pages_sha256: sha256
    .nullable()
    .describe(
      'SHA-256 of the SHA-256s (hexadecimal) of all pages as served, each without the token of the next page; with pseudonyms, an HMAC of it. Two walks with the same one were served the same. null: not known, since the list was not read from its start to its end in one walk, or was filtered, or a page was unusually large, or something in it was erased.',
    ),
};

export const slice = z.strictObject({
  parent: z
    .record(z.string(), z.string())
    .describe('Whose list it is: the values of the parent columns. Empty for a stream without a parent.'),
  ...evidence,
  verdict: z
    .enum(['complete', 'gone', 'unavailable', 'failed'])
    .describe(
      'gone: answered 404, and no longer in the list of its parent stream when that was read again. unavailable: answered 404, by which the API says that a list like this is not enabled: nothing is known of its rows.',
    ),
  reason: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
  erased: count
    .optional()
    .describe('Rows that were erased since: the API served `rows` and these. Absent: none.'),
  files: z.array(fileEntry).describe('The files that hold this list alone.'),
});
/** One list of one stream: the unit of work, of retry and of evidence. */
export type Slice = z.infer<typeof slice>;

/** How the rows of a table are stored in files. */
const tableLayouts = ['per-parent', 'per-date'] as const;

export const table = z.strictObject({
  layout: z
    .enum(tableLayouts)
    .describe(
      'per-parent: the files are named slice by slice. per-date: they hold all slices, sorted by parent.',
    ),
  columns: z.array(z.string()).describe('Of the files, in order. Columns are only ever appended.'),
  rows: count,
  files: z.array(fileEntry).describe('In the layout per-date: the files of all slices.'),
  slices: z.array(slice).describe('One entry for each list that was read, in the order served.'),
});
/** One stream's part of a snapshot. */
export type Table = z.infer<typeof table>;

const pseudonymScheme = z.strictObject({
  columns: z.array(z.string()),
  key_id: z.string(),
  keep_domain: z.boolean(),
});

const rowsByTable = z.record(z.string(), count);

const erasure = z.strictObject({
  erased_at: instant,
  run_id: z.string().describe('Of the erasure: a file with this id in its name was written by it.'),
  salt: z.string().regex(/^[0-9a-f]{32}$/),
  person_sha256: sha256.describe(
    'SHA-256 of the salt, a space and the id of the user: who has the id can see whether it was erased, and nobody can find the id from it.',
  ),
  reason: z.string().nullable().describe('A code that was given, such as a ticket.'),
  removed: rowsByTable.describe('Rows that were about the person, by table.'),
  replaced: rowsByTable.describe(
    'Rows that stay and in which `erased_` and the first 32 digits of `person_sha256` replace the person, by table.',
  ),
});
/** What is left of a person who was erased from a snapshot. */
export type Erasure = z.infer<typeof erasure>;

/** What a run was asked to read. */
export const scope = z.strictObject({
  streams: z.array(z.string()),
  known: z.array(z.string()).describe('The streams that the connector could have read.'),
  organizations: z.union([z.literal('all'), z.array(z.string())]),
});
export type Scope = z.infer<typeof scope>;

export const actions = ['publish', 'compact', 'prune', 'erase'] as const;

/**
 * What one run date holds. Immutable: each publication, compaction, pruning and erasure writes another one, and the log says
 * which is current. An unknown field is refused, so that none is ever lost on the way through this program.
 */
export const manifestSchema = z
  .strictObject({
    manifest_version: z.literal(2),
    status: z
      .enum(['complete', 'scoped', 'incomplete', 'pruned'])
      .describe(
        'complete: everything was read. scoped: all that was asked for, which was less than everything. incomplete: a list could not be read. pruned: the files were removed.',
      ),
    run_id: z.string().describe('Of the run that read the API.'),
    run_date: z.iso.date().describe('The day (UTC) that the snapshot is filed under.'),
    started_at: instant.describe(
      'When the run began. On another day than run_date: the snapshot is back-dated, which was asked for.',
    ),
    extracted_at: instant.describe('When the last page had been read.'),
    attempts: z
      .array(z.string())
      .describe('The run ids of the processes that read it, one after the other; the last one published it.'),
    connector,
    dataset: z.string(),
    format: z.string(),
    scope,
    configuration: z.record(z.string(), z.unknown()).describe('The settings of the run, without secrets.'),
    written: z
      .strictObject({
        action: z.enum(actions),
        run_id: z.string().describe('Of what wrote this manifest; its file has this name.'),
        at: instant,
        connector,
      })
      .describe(
        'publish: the run above. compact: the same rows in other files. prune: the files are removed. erase: a person was removed from the files.',
      ),
    replaces: z
      .strictObject({ run_id: z.string(), manifest_sha256: sha256 })
      .nullable()
      .describe('The manifest that was current before: `written.run_id` of it, and its SHA-256.'),
    pseudonyms: pseudonymScheme
      .nullable()
      .describe(
        'The columns whose texts are keyed pseudonyms, as are all texts in `extra` of their tables. Two snapshots with the same key_id and keep_domain have the same pseudonym for the same person. null: texts are as served.',
      ),
    erasures: z
      .array(erasure)
      .optional()
      .describe('People who were erased since this was read. Absent: nobody.'),
    totals: z.strictObject({
      rows: count,
      files: count,
      bytes: count,
      slices: count,
      pages: count,
      duplicates: count,
      differing: count,
      surrogates_repaired: count,
      gone: count,
      unavailable: count,
      failed: count,
    }),
    tables: z.record(z.string(), table).describe('By stream.'),
  })
  .meta({
    title: 'Manifest of a snapshot',
    description:
      'Immutable, in _runs/run_date=D/<run>.json; manifest.json beside it is a copy of the current one.',
  });
export type Manifest = z.infer<typeof manifestSchema>;

/** A data file with the table that it is a part of. */
export type TableFile = FileEntry & { table: string };

/** Every data file that a manifest names. */
export const manifestFiles = ({ tables }: Pick<Manifest, 'tables'>): TableFile[] =>
  Object.entries(tables).flatMap(([name, { files, slices }]) =>
    [...files, ...slices.flatMap((slice) => slice.files)].map((file) => ({ ...file, table: name })),
  );

/** What the tables of a manifest come to. */
export function totalsOf(tables: Manifest['tables']): Manifest['totals'] {
  const all = Object.values(tables);
  const slices = all.flatMap((table) => table.slices);
  const files = manifestFiles({ tables });
  return {
    rows: sum(all, 'rows'),
    files: files.length,
    bytes: sum(files, 'bytes'),
    slices: slices.length,
    pages: sum(slices, 'pages'),
    duplicates: sum(slices, 'duplicates'),
    differing: sum(slices, 'differing'),
    surrogates_repaired: sum(slices, 'surrogates_repaired'),
    gone: slices.filter(({ verdict }) => verdict === 'gone').length,
    unavailable: slices.filter(({ verdict }) => verdict === 'unavailable').length,
    failed: slices.filter(({ verdict }) => verdict === 'failed').length,
  };
}

export const sum = <K extends string>(items: readonly Record<K, number>[], key: K): number =>
  items.reduce((total, item) => total + item[key], 0);

/** Whether a table was asked for of every organisation, and every list of it, and of the streams above it, was read. */
export function isComplete({ scope, tables }: Manifest, stream: string): boolean {
  const known = streams.find(({ name }) => name === stream);
  const above = known ? ancestorsOf(known).map(({ name }) => name) : [];
  const slices = [stream, ...above].flatMap((name) => tables[name]?.slices ?? []);
  return (
    tables[stream] !== undefined &&
    scope.organizations === 'all' &&
    slices.every(({ verdict }) => verdict !== 'failed')
  );
}

/** Whether a snapshot is filed under another day (UTC) than the one on which its run began. */
export const isBackDated = ({ run_date, started_at }: Pick<Manifest, 'run_date' | 'started_at'>): boolean =>
  run_date !== started_at.slice(0, 10);

/** Whether what `scope` reads includes everything that `other` read. */
export const covers = (scope: Omit<Scope, 'known'>, other: Omit<Scope, 'known'>): boolean =>
  other.streams.every((stream) => scope.streams.includes(stream)) &&
  (scope.organizations === 'all' ||
    (other.organizations !== 'all' &&
      other.organizations.every((uuid) => scope.organizations.includes(uuid))));
