import { type Repairs, rowMaker } from '../rows.js';
import type { StreamSchema } from '../schema.js';
import type { Sink } from '../sinks/sink.js';
import type { WalkEvidence } from './manifest.js';
import { Part } from './part.js';
import { dateFolder } from './partition.js';
import type { StagedFiles, Staging } from './staging.js';

/** A page of any stream, as the extraction hands it on. */
export interface WalkPage {
  records: readonly object[];
  /** The token that continues after this page; null when the walk is done. */
  next: string | null;
  duplicates: number;
  /** After a stale token the walk began anew: what it drops then was merely read before. */
  restarted?: boolean;
  requestId?: string | undefined;
  /** Milliseconds since 1970. */
  requestedAt: number;
}

/** A walk so far. */
export type WalkState = WalkEvidence & { files: StagedFiles };

export interface WalkRequest {
  schema: StreamSchema;
  /** The columns that the connector knows. */
  added: Readonly<Record<string, string>>;
  sinks: readonly Sink[];
  staging: Staging;
  runDate: string;
  /** Below the date folder: `org_uuid=…/`, or nothing. */
  folder: string;
  rowsPerFile: number;
  /** The most records that a page may hold. */
  pageSize: number;
  /** What earlier processes have read of this walk. */
  state: WalkState;
  /** Whether a walk without rows leaves a file: `organizations` always does. */
  emptyFile: boolean;
  /** A part was closed, and `next` goes on after it. */
  onPart?: (state: WalkState, next: string) => Promise<void>;
}

export const newWalk = (endpoint: string, parameters: Record<string, unknown>): WalkState => ({
  endpoint,
  parameters,
  rows: 0,
  pages: 0,
  duplicates: 0,
  surrogates_repaired: 0,
  first_request_id: null,
  last_request_id: null,
  first_request_at: null,
  last_request_at: null,
  files: {},
});

/**
 * Reads the pages of one walk into parts of at most `rowsPerFile` rows. A part ends with a page, and before the
 * next one is asked for: then the ids seen so far are just those of the closed parts.
 */
export async function writeWalk(pages: AsyncIterable<WalkPage>, request: WalkRequest): Promise<WalkState> {
  const { schema, added, sinks, staging, runDate, folder, rowsPerFile, pageSize } = request;
  const repairs: Repairs = { surrogates: 0 };
  const toRow = rowMaker(schema, added, repairs);
  let state = request.state;
  let part: Part | undefined;

  const openPart = (): Part =>
    new Part({
      schema,
      sinks,
      staging,
      folder: `${schema.name}/${folder}`,
      finalFolder: `${dateFolder(schema.name, runDate)}/${folder}`,
      index: Object.values(state.files)[0]?.length ?? 0,
    });
  const closePart = async (open: Part): Promise<void> => {
    state = { ...state, files: joined(state.files, await open.close()) };
    part = undefined;
  };

  try {
    for await (const page of pages) {
      if (page.records.length > 0) {
        part ??= openPart();
        await part.add(page.records.map(toRow));
      }
      state = { ...seen(state, page), surrogates_repaired: state.surrogates_repaired + repairs.surrogates };
      repairs.surrogates = 0;
      if (part && page.next !== null && part.rows + pageSize > rowsPerFile) {
        await closePart(part);
        await request.onPart?.(state, page.next);
      }
    }
    if (request.emptyFile && Object.keys(state.files).length === 0) part ??= openPart();
    if (part) await closePart(part);
    return state;
  } catch (error) {
    await part?.abandon(error);
    throw error;
  }
}

function seen(
  state: WalkState,
  { records, duplicates, restarted, requestId, requestedAt }: WalkPage,
): WalkState {
  const at = new Date(requestedAt).toISOString();
  return {
    ...state,
    rows: state.rows + records.length,
    pages: state.pages + 1,
    duplicates: state.duplicates + (restarted ? 0 : duplicates),
    first_request_id: state.first_request_id ?? requestId ?? null,
    last_request_id: requestId ?? null,
    first_request_at: state.first_request_at ?? at,
    last_request_at: at,
  };
}

function joined(files: StagedFiles, more: StagedFiles): StagedFiles {
  return Object.fromEntries(
    Object.entries(more).map(([format, added]) => [format, [...(files[format] ?? []), ...added]]),
  );
}
