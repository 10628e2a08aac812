import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { jsonBytes } from '../lake/json-file.js';
import type { FileEntry, Slice } from '../lake/manifest.js';
import { LocalStorage } from '../storage/local.js';
import { makeFolder } from '../storage/make-folder.js';
import { once } from '../storage/storage.js';
import { temporaryKey } from '../storage/temporary.js';
import { keyText, type ParentKey } from '../streams/stream.js';
import { Journal } from './journal.js';
import { JOURNAL, listUnfinished, REFUSED, type RunHeader } from './unfinished-runs.js';

/** Files by format: a run may write several. */
export type StagedFiles = Readonly<Record<string, readonly FileEntry[]>>;

/** A slice as it was read, its files named as in the staged run. */
export interface StagedSlice extends Omit<Slice, 'files'> {
  stream: string;
  files: StagedFiles;
  /** The keys of its records, of a stream whose records have lists of their own. */
  keys?: readonly string[];
}

type JournalLine =
  /** A process begins to work on the run; what it publishes is published by this run id. */
  | { type: 'attempt'; run_id: string }
  | { type: 'slice'; slice: StagedSlice }
  /** Everything was read. */
  | { type: 'ready'; extracted_at: string };

/**
 * The folder of one run: everything it has read, where no reader looks, and a journal of what is finished. After a
 * crash, only work since the last journal line is lost.
 */
export class StagedRun {
  readonly attempts: string[] = [];
  /** When everything had been read; undefined until then. */
  extractedAt: string | undefined;
  readonly files: LocalStorage;
  readonly #slices = new Map<string, StagedSlice>();

  private constructor(
    readonly folder: string,
    readonly header: RunHeader,
    readonly journal: Journal<JournalLine>,
    lines: readonly JournalLine[],
  ) {
    this.files = new LocalStorage(folder);
    for (const line of lines) this.#apply(line);
  }

  /**
   * Makes the staged run of a new run, or takes over the one that another process left: under a new name, so that the
   * other one, should it only have slept, finds nothing of its own any more.
   * @param runId of the process that works on it now
   */
  static async open(parent: string, header: RunHeader, runId: string): Promise<StagedRun> {
    const left = (await listUnfinished(parent)).find(({ run_id }) => run_id === header.run_id);
    const folder = join(parent, `${header.run_id}.${(left?.attempt ?? 0) + 1}`);
    if (left) await rename(join(parent, left.folder), folder);
    else await makeStagedRun(parent, folder, header);
    const { journal, lines } = await Journal.open<JournalLine>(join(folder, JOURNAL));
    const run = new StagedRun(folder, header, journal, lines);
    await run.record({ type: 'attempt', run_id: runId });
    return run;
  }

  /** A list that was dealt with before; undefined when it was not. */
  slice(stream: string, parent: ParentKey): StagedSlice | undefined {
    return this.#slices.get(sliceName(stream, parent));
  }

  /** Those of a stream, in the order in which they were finished. */
  slicesOf(stream: string): StagedSlice[] {
    return [...this.#slices.values()].filter((slice) => slice.stream === stream);
  }

  async record(line: JournalLine): Promise<void> {
    await this.journal.append(line);
    this.#apply(line);
  }

  /** A guard does not let it be published: a later day's run must not resume this one. */
  async refuse(): Promise<void> {
    await this.files.stage(REFUSED, once(new Uint8Array()));
  }

  async close(): Promise<void> {
    await this.journal.close();
  }

  #apply(line: JournalLine): void {
    if (line.type === 'attempt') this.attempts.push(line.run_id);
    if (line.type === 'slice') this.#slices.set(sliceName(line.slice.stream, line.slice.parent), line.slice);
    if (line.type === 'ready') this.extractedAt = line.extracted_at;
  }
}

/**
 * Where a file of the root is staged. All files of a format are in one folder: one for each list would have to be made and removed
 * for nobody. At most 242 characters, since ids have at most 128; file systems take 255 bytes.
 */
export const stagedKey = (format: string, path: string): string => `${format}/${path.replaceAll('/', '+')}`;

const sliceName = (stream: string, parent: ParentKey): string => `${stream}/${keyText(parent)}`;

/** Made under a temporary name and renamed, so that there is never a staged run without its header. */
async function makeStagedRun(parent: string, folder: string, header: RunHeader): Promise<void> {
  const made = join(parent, temporaryKey());
  await makeFolder(made, 0o700);
  await new LocalStorage(made).stage('run.json', once(jsonBytes(header)));
  await rename(made, folder);
}
