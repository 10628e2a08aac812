import { z } from 'zod';
import { scope, slice } from '../lake/manifest.js';
import { DECISION, decisions, exceptionKinds } from './schema.js';

/** The files of a pack. */
export const POPULATION = 'population.csv';
export const WORKBOOK = 'population.xlsx';
export const CHANGES = 'changes.csv';
export const EXCEPTIONS = 'exceptions.csv';
export const EVIDENCE = 'evidence.json';
export const PAGE = 'evidence.html';

const count = z.int().min(0);
const instant = z.iso.datetime({ precision: 3 });
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const connector = z.strictObject({ name: z.string(), version: z.string(), node: z.string() });

/** A snapshot that the pack was made from. */
const snapshot = z.strictObject({
  run_date: z.iso.date(),
  run_id: z.string(),
  status: z.string(),
  started_at: instant,
  extracted_at: instant.describe('When the last page had been read.'),
  read_by: connector,
  anthropic_version: z.string().nullable().describe('The version of the API that was asked for.'),
  base_url: z.string().nullable(),
  format: z.string(),
  scope,
  manifest_sha256: sha256.describe('Of the manifest, as the log of the root names it.'),
  log_entry: count.describe('The number of the log entry that made it current.'),
  files: z.array(z.strictObject({ path: z.string(), rows: count, bytes: count, sha256 })),
});
export type SnapshotEvidence = z.infer<typeof snapshot>;

const { files: _files, surrogates_repaired: _repaired, duplicates: _duplicates, ...walk } = slice.shape;
const list = z.strictObject({ stream: z.string(), ...walk });
export type ListEvidence = z.infer<typeof list>;

const completeness = z.strictObject({
  stream: z.string(),
  rows: count.describe('Of its lists, by the manifest.'),
  in_population: count.describe('Different ones of them that have a row of the population.'),
});

/** What a pack says of itself: an auditor needs nothing else to check it. */
export const evidenceSchema = z
  .strictObject({
    evidence_version: z.literal(1),
    made_at: instant,
    made_by: connector,
    root: z.string().describe('Where the snapshots are, without credentials.'),
    snapshot: snapshot.describe('What the population was made from.'),
    since: snapshot.nullable().describe('The last review: what the changes are counted from. null: none.'),
    pseudonyms: z
      .strictObject({ columns: z.array(z.string()), key_id: z.string(), keep_domain: z.boolean() })
      .nullable()
      .describe('The columns whose texts are keyed pseudonyms in this pack.'),
    population: z.strictObject({
      rows: count,
      unknown: count.describe('Of them, rows about something that was not read.'),
      people: count,
      digest_columns: z.array(z.string()),
      rows_sha256: sha256.describe(
        'SHA-256 of the digests (32 bytes each) of all rows, in the order of their numbers. A digest is the SHA-256 of the JSON array of the number and the texts of digest_columns, each trimmed, with plain line ends and without the guard against formulas; row_id begins with the number and has its first 12 digits.',
      ),
      decision_column: z.literal(DECISION),
      decisions: z.tuple([z.literal(decisions[0]), z.literal(decisions[1])]),
    }),
    completeness: z.strictObject({
      is_complete: z
        .boolean()
        .describe('Whether all that access follows from was read, and all of it is in the population.'),
      lists: z.array(completeness),
      not_read: z.array(
        z.strictObject({
          stream: z.string(),
          parent: z.record(z.string(), z.string()).nullable().describe('Whose list; null: the whole table.'),
          reason: z.string(),
        }),
      ),
    }),
    exceptions: z.record(z.enum(exceptionKinds), count),
    identity_provider: z
      .strictObject({ column: z.string(), accounts: count, bytes: count, sha256 })
      .nullable()
      .describe('The export that accounts were looked up in. null: none was given.'),
    lists: z.array(list).describe('Every list that was requested for the snapshot, and how.'),
    files: z.array(z.strictObject({ name: z.string(), rows: count.nullable(), bytes: count, sha256 })),
    not_written: z.array(z.strictObject({ name: z.string(), reason: z.string() })),
  })
  .meta({
    title: 'Evidence of an access review',
    description: 'evidence.json of the pack that claude-compliance-connector review writes.',
  });
export type Evidence = z.infer<typeof evidenceSchema>;
