import { createHash } from 'node:crypto';
import { listsRead } from '../access/directory.js';
import { organizationNames } from '../access/organization-names.js';
import { directoryOf } from '../access/snapshot-directory.js';
import { type Clock, systemClock } from '../clock.js';
import { changesSchema } from '../diff/changes.js';
import { jsonBytes } from '../lake/json-file.js';
import { pseudonymsRead } from '../lake/pseudonyms-read.js';
import { type Source, sourceOf } from '../lake/source.js';
import type { Pseudonyms } from '../model/pseudonyms.js';
import type { Row } from '../model/rows.js';
import type { StreamSchema } from '../model/schema.js';
import { LocalStorage } from '../storage/local.js';
import { withNewFolder } from '../storage/new-folder.js';
import { withScratch } from '../storage/scratch.js';
import { once, type Storage } from '../storage/storage.js';
import { CONNECTOR } from '../version.js';
import { completenessOf } from './completeness.js';
import { CHANGES, EVIDENCE, type Evidence, EXCEPTIONS, PAGE, POPULATION, WORKBOOK } from './evidence.js';
import { evidencePage } from './evidence-page.js';
import { exceptionFinder } from './exceptions.js';
import { lookUpAccounts } from './identity-provider.js';
import { type PackFiles, packFiles, type StagedRows, stageRows } from './pack-files.js';
import { population } from './population.js';
import type { ForeignCsv } from './read-csv.js';
import { rowNumbering } from './row-digest.js';
import {
  DECISION,
  decisions,
  type ExceptionRow,
  exceptionsSchema,
  identifyingColumns,
  type PopulationRow,
  populationSchema,
} from './schema.js';
import { listEvidence, snapshotEvidence } from './snapshot-evidence.js';
import { changesUntil } from './source.js';
import { whyNoWorkbook, workbookBytes } from './workbook.js';

export interface ReviewOptions {
  /** A root that dump wrote to. */
  storage: Storage;
  /** The local folder of the pack: nothing, or an empty one. */
  out: string;
  /** Of its files. Default 0o600: this is personal data. */
  fileMode?: number | undefined;
  /** The day of the population. Default: the newest that has its files. */
  runDate?: string | undefined;
  /** The day of the last review. Default: the complete snapshot before, if there is one. */
  since?: string | undefined;
  /** Replaces what names a person, where the snapshots do not have pseudonyms yet. */
  pseudonyms?: Pseudonyms | undefined;
  /** An export of an identity provider. */
  identityProvider?: ForeignCsv | undefined;
  /** A local folder for temporary files: the population, once. They are for their owner only, and removed at the end. */
  scratch: string;
  signal?: AbortSignal | undefined;
  clock?: Clock | undefined;
}

/** What was written. */
export interface Review {
  readonly evidence: Evidence;
  /** Of evidence.json: who notes it elsewhere can show later that the pack was not changed. */
  readonly evidenceSha256: string;
}

/**
 * Writes the pack of an access review: who had access on a day, what changed since the last review, what to look at first, and
 * the evidence of where all that comes from. The folder appears with all files, or not at all. Memory does not grow with the number
 * of rows, but by the organisations, the groups and the addresses of the identity provider.
 * @throws ConfigError `folder_not_empty`, `snapshot_missing`, `pseudonyms_differ`, `addresses_are_pseudonyms`, and what `readIdentityProvider` throws; RefusedError
 *   `snapshot_pruned`; LockedError; what reading the snapshots throws
 */
export async function writeReview(options: ReviewOptions): Promise<Review> {
  const { storage, out, fileMode = 0o600, scratch, signal, clock = systemClock } = options;
  signal?.throwIfAborted();
  return await withNewFolder({ path: out, fileMode }, async (folder) => {
    const source = await sourceOf(options);
    const changes = await changesUntil(source, options);
    const accounts = await lookUpAccounts(options.identityProvider, source);
    const files = packFiles(folder);
    const found = await withScratch(scratch, (path) =>
      writePopulation({ source, files, path, accounts, signal }),
    );
    if (changes) await files.putTable(CHANGES, changesSchema, changes.changes());
    const evidence: Evidence = {
      evidence_version: 1,
      made_at: new Date(clock.now()).toISOString(),
      made_by: CONNECTOR,
      root: storage.location,
      snapshot: snapshotEvidence(source.manifest, source.log),
      since: changes ? snapshotEvidence(changes.from, source.log) : null,
      pseudonyms: pseudonymsRead(source),
      ...found.evidence,
      identity_provider: accounts?.evidence ?? null,
      lists: listEvidence(source.manifest),
      files: files.written,
      not_written: [
        ...(found.noWorkbook === undefined ? [] : [{ name: WORKBOOK, reason: found.noWorkbook }]),
        ...(changes ? [] : [{ name: CHANGES, reason: 'there is no complete snapshot before this one' }]),
      ],
    };
    await files.put(PAGE, once(Buffer.from(evidencePage(evidence))), () => null);
    const text = jsonBytes(evidence, 2);
    await folder.stage(EVIDENCE, once(text));
    signal?.throwIfAborted();
    return { evidence, evidenceSha256: createHash('sha256').update(text).digest('hex') };
  });
}

interface PopulationWork {
  source: Source;
  files: PackFiles;
  /** For temporary files. */
  path: string;
  accounts: Awaited<ReturnType<typeof lookUpAccounts>>;
  signal: AbortSignal | undefined;
}

/** A row waits with its exceptions. */
const stagedSchema: StreamSchema = {
  ...populationSchema,
  fields: [
    ...populationSchema.fields,
    { name: 'exceptions', type: 'json', nullable: true, description: 'Of the row.', origin: 'connector' },
  ],
};
type StagedRow = PopulationRow & { exceptions: ExceptionRow[] | null };

/** Writes the population, as CSV and as a workbook, and the exceptions. It is made once, and read from the disk then. */
async function writePopulation({ source, files, path, accounts, signal }: PopulationWork) {
  const { manifest } = source;
  const names = await organizationNames(source);
  const { has: hasUsers } = listsRead(directoryOf(source).users, ['organization_uuid']);
  const finder = exceptionFinder({ runDate: manifest.run_date, names, hasUsers, known: accounts?.addresses });
  const numbering = rowNumbering();
  const completeness = completenessOf(manifest);
  const counts = { people: 0, unknown: 0 };

  async function* numbered(): AsyncGenerator<StagedRow[]> {
    for await (const { person, rows } of population({ snapshot: source, names, folder: path, signal })) {
      const own: StagedRow[] = rows.map((row) => ({ ...numbering.add(row), exceptions: null }));
      for (const { status } of own) if (status === 'unknown') counts.unknown += 1;
      if (person) counts.people += 1;
      completeness.add(person, own);
      const [first] = own;
      if (first) first.exceptions = [...finder.of(person, own)];
      yield own;
    }
  }
  const staged = await stageRows(new LocalStorage(path), stagedSchema, inBatches(numbered()));
  await files.putTable(POPULATION, populationSchema, staged.read());
  const noWorkbook = whyNoWorkbook({ rows: numbering.rows(), bytes: staged.bytes });
  if (noWorkbook === undefined) {
    const sheet = workbookBytes({ schema: populationSchema, batches: staged.read() });
    await files.put(WORKBOOK, sheet, () => numbering.rows());
  }
  await files.putTable(EXCEPTIONS, exceptionsSchema, exceptionsIn(staged, finder.withoutOwner()));
  return {
    noWorkbook,
    evidence: {
      population: {
        rows: numbering.rows(),
        unknown: counts.unknown,
        people: counts.people,
        digest_columns: [...identifyingColumns],
        rows_sha256: numbering.sha256(),
        decision_column: DECISION,
        decisions: [...decisions],
      },
      completeness: completeness.result(counts.unknown),
      exceptions: finder.counts(),
    } satisfies Partial<Evidence>,
  };
}

const BATCH = 1000;

async function* inBatches<T>(pieces: AsyncIterable<readonly T[]>): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const piece of pieces) {
    for (const row of piece) batch.push(row);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

async function* exceptionsIn(
  staged: StagedRows,
  last: Iterable<ExceptionRow>,
): AsyncGenerator<readonly Row[]> {
  for await (const rows of staged.read())
    yield (rows as unknown as StagedRow[]).flatMap(({ exceptions }) => exceptions ?? []);
  yield [...last];
}
