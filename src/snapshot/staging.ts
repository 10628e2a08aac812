import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { LocalStorage } from '../storage/local.js';
import { makeFolder } from '../storage/make-folder.js';
import { once } from '../storage/storage.js';
import { temporaryKey } from '../storage/temporary.js';
import { Journal } from './journal.js';
import { jsonBytes } from './json-file.js';
import { JOURNAL, listStagings, REFUSED, type RunHeader } from './left-runs.js';
import type { FileEntry, Slice, WalkEvidence } from './manifest.js';

/** Files by format: a run may write several. */
export type StagedFiles = Record<string, FileEntry[]>;
export type StagedSlice = Omit<Slice, 'files'> & { files: StagedFiles };
export type StagedOrganizations = WalkEvidence & { uuids: string[]; files: StagedFiles };

type JournalLine =
  | { type: 'organizations'; organizations: StagedOrganizations }
  /** A part of a slice was closed; `next` is the page token that continues after it. */
  | { type: 'part'; slice: StagedSlice; next: string }
  /** The token after its parts went stale: they are written over. */
  | { type: 'restarted'; organization_uuid: string }
  | { type: 'slice'; slice: StagedSlice }
  /** Everything was read: from here the run only rolls forward. */
  | { type: 'ready'; extracted_at: string }
  /** The users of all organisations lie together in these files of one format. */
  | { type: 'laid-out'; format: string; files: FileEntry[] }
  /** What had failed is read again before anything is published. */
  | { type: 'reopened' };

/** What the journal says when it is read from its beginning. */
export interface Progress {
  organizations?: StagedOrganizations;
  parts: Map<string, { slice: StagedSlice; next: string }>;
  slices: Map<string, StagedSlice>;
  extractedAt?: string;
  /** By format. */
  laidOut: Map<string, FileEntry[]>;
}

/**
 * The folder of one run: everything it has read, out of the readers' sight, and a journal of what is whole.
 * Who was killed loses at most what no journal line tells of.
 */
export class Staging {
  readonly progress: Progress = { parts: new Map(), slices: new Map(), laidOut: new Map() };
  readonly files: LocalStorage;

  private constructor(
    readonly folder: string,
    readonly header: RunHeader,
    readonly journal: Journal<JournalLine>,
    lines: readonly JournalLine[],
    /** Another process wrote in it. */
    readonly isTakenOver: boolean,
  ) {
    this.files = new LocalStorage(folder);
    for (const line of lines) this.#apply(line);
  }

  /**
   * Makes the staging of a new run, or takes over the one that another process left: under a new name, so that the
   * other one, should it only have slept, finds nothing of its own any more.
   */
  static async open(parent: string, header: RunHeader): Promise<Staging> {
    const left = (await listStagings(parent)).find(({ run_id }) => run_id === header.run_id);
    const folder = join(parent, `${header.run_id}.${(left?.attempt ?? 0) + 1}`);
    if (left) await rename(join(parent, left.folder), folder);
    else await makeStaging(parent, folder, header);
    const { journal, lines } = await Journal.open<JournalLine>(join(folder, JOURNAL));
    return new Staging(folder, header, journal, lines, left !== undefined);
  }

  async record(line: JournalLine): Promise<void> {
    await this.journal.append(line);
    this.#apply(line);
  }

  /** Keeps the ids that the closed parts of a slice hold, so that a walk that goes on still drops duplicates. */
  async saveSeen(slice: StagedSlice, bytes: Uint8Array): Promise<void> {
    await this.files.stage(seenKey(slice), once(bytes));
  }

  async loadSeen(slice: StagedSlice): Promise<Uint8Array> {
    return await readFile(join(this.folder, seenKey(slice)));
  }

  async dropSeen(slice: StagedSlice): Promise<void> {
    await this.files.remove(seenKey(slice));
  }

  async makeFolders(format: string, tables: readonly string[]): Promise<void> {
    for (const table of tables) await makeFolder(join(this.folder, format, table), 0o700);
  }

  /** A guard does not let it be published: a later day's run must not go on with this one. */
  async refuse(): Promise<void> {
    await this.files.stage(REFUSED, once(new Uint8Array()));
  }

  async close(): Promise<void> {
    await this.journal.close();
  }

  #apply(line: JournalLine): void {
    const { progress } = this;
    if (line.type === 'organizations') progress.organizations = line.organizations;
    if (line.type === 'part') progress.parts.set(line.slice.organization_uuid, line);
    if (line.type === 'restarted') progress.parts.delete(line.organization_uuid);
    if (line.type === 'slice') {
      const { organization_uuid, verdict } = line.slice;
      progress.slices.set(organization_uuid, line.slice);
      if (verdict !== 'failed') progress.parts.delete(organization_uuid); // only a failed one is gone on with
    }
    if (line.type === 'ready') progress.extractedAt = line.extracted_at;
    if (line.type === 'laid-out') progress.laidOut.set(line.format, line.files);
    if (line.type === 'reopened') {
      delete progress.extractedAt;
      progress.laidOut.clear();
    }
  }
}

/** A file of its own for each count of rows: the one that the journal tells of is never written over. */
const seenKey = ({ organization_uuid, rows }: StagedSlice): string => `seen/${organization_uuid}-${rows}`;

/** Made aside and renamed, so that there is never a staging without its header. */
async function makeStaging(parent: string, folder: string, header: RunHeader): Promise<void> {
  const made = join(parent, temporaryKey());
  await makeFolder(made, 0o700);
  await new LocalStorage(made).stage('run.json', once(jsonBytes(header)));
  await rename(made, folder);
}
