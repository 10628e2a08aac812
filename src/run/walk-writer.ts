import { createHash } from 'node:crypto';
import type { RecordPage } from '../extract/record-page.js';
import type { FileEntry, Slice } from '../lake/manifest.js';
import { partName } from '../lake/paths.js';
import { batchMaker, release, type ServedRecords } from '../model/batch.js';
import type { Pseudonyms } from '../model/pseudonyms.js';
import type { Repairs } from '../model/rows.js';
import type { StreamSchema } from '../model/schema.js';
import type { Sink } from '../sinks/sink.js';
import type { LocalStorage } from '../storage/local.js';
import { type FanOut, fanOut } from './fan-out.js';
import { type StagedFiles, stagedKey } from './staged-run.js';

/** A page as far as files are written from it. */
export type ServedPage = Omit<RecordPage<object>, 'records'>;

/** What a walk came to. */
export type WalkEvidence = Omit<Slice, 'parent' | 'verdict' | 'reason' | 'files'>;

export interface WalkRequest {
  schema: StreamSchema;
  /** The columns that the connector knows. */
  added: Readonly<Record<string, string>>;
  /** The formats to write; none: the list is only read. */
  sinks: readonly Sink[];
  /** Of the staged run. */
  files: LocalStorage;
  /** Of the list's files, below the root: `users/run_date=…/org_uuid=…/`. */
  folder: string;
  rowsPerFile: number;
  parameters: Readonly<Record<string, string>>;
  /** Whether a list without rows leaves a file. */
  emptyFile: boolean;
  pseudonyms?: Pseudonyms | undefined;
}

/** Reads the pages of one list into files of at most `rowsPerFile` rows, one for each format. */
export async function writeWalk(
  pages: AsyncIterable<ServedPage>,
  request: WalkRequest,
): Promise<{ evidence: WalkEvidence; files: StagedFiles }> {
  const { schema, added, sinks, rowsPerFile, parameters, pseudonyms } = request;
  const repairs: Repairs = { surrogates: 0 };
  const toServed = batchMaker(schema, added, repairs);
  const toBatch = (served: ServedRecords) => {
    const batch = toServed(served);
    return pseudonyms ? pseudonyms.batch(batch) : batch;
  };
  const files: Record<string, FileEntry[]> = Object.fromEntries(sinks.map(({ format }) => [format, []]));
  const digest = createHash('sha256');
  let evidence = newEvidence({ endpoint: '', parameters: { ...parameters } });
  let isDigestKnown = true;
  let parts = 0;
  let part: FanOut | undefined;

  const openPart = (): FanOut =>
    fanOut(
      schema,
      sinks.map((sink) => ({
        sink,
        write: (bytes) => request.files.stage(stagedKey(sink.format, pathOf(sink, parts)), bytes),
      })),
    );
  const pathOf = ({ extension }: Sink, index: number): string => request.folder + partName(index, extension);
  const closePart = async (open: FanOut): Promise<void> => {
    for (const [i, written] of (await open.close()).entries()) {
      const sink = sinks[i] as Sink;
      files[sink.format]?.push({ path: pathOf(sink, parts), rows: open.rows, ...written });
    }
    parts += 1;
    part = undefined;
  };

  try {
    for await (const page of pages) {
      evidence = seen(evidence, page);
      digest.update(page.sha256 ?? '');
      isDigestKnown &&= page.sha256 !== null && page.restarted !== true;
      const batch = toBatch(page.served);
      for (let from = 0; from < batch.length; ) {
        part ??= openPart();
        const to = Math.min(batch.length, from + rowsPerFile - part.rows);
        await part.add(to - from === batch.length ? batch : batch.slice(from, to));
        if (part.rows === rowsPerFile) await closePart(part);
        from = to;
      }
      release(batch);
    }
    if (request.emptyFile && parts === 0) part ??= openPart();
    if (part) await closePart(part);
    const sha256 = digest.digest('hex');
    const pages_sha256 = isDigestKnown ? (pseudonyms?.digest(sha256) ?? sha256) : null;
    return { evidence: { ...evidence, surrogates_repaired: repairs.surrogates, pages_sha256 }, files };
  } catch (error) {
    await part?.abandon(error);
    throw error;
  }
}

/** The evidence of a walk before its first page. */
export const newEvidence = (list: Pick<WalkEvidence, 'endpoint' | 'parameters'>): WalkEvidence => ({
  ...list,
  rows: 0,
  pages: 0,
  duplicates: 0,
  differing: 0,
  surrogates_repaired: 0,
  first_request_id: null,
  last_request_id: null,
  first_request_at: null,
  last_request_at: null,
  pages_sha256: null,
});

function seen(
  evidence: WalkEvidence,
  { path, served, duplicates, differing, restarted, requestId, requestedAt }: ServedPage,
): WalkEvidence {
  const at = new Date(requestedAt).toISOString();
  return {
    ...evidence,
    endpoint: path,
    rows: evidence.rows + served.records.length,
    pages: evidence.pages + 1,
    // After a restart these are records that were read before, not served twice.
    duplicates: evidence.duplicates + (restarted ? 0 : duplicates),
    differing: evidence.differing + differing,
    first_request_id: evidence.first_request_id ?? requestId ?? null,
    last_request_id: requestId ?? null,
    first_request_at: evidence.first_request_at ?? at,
    last_request_at: at,
  };
}
