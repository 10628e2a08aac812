import type { Clock } from '../clock.js';
import { forEachConcurrently } from '../concurrency.js';
import { ComplianceError, ConfigError, ProtocolError, StorageError } from '../errors.js';
import type { OnEvent } from '../events.js';
import type { ComplianceClient } from '../extract/compliance-client.js';
import { verdictOf } from '../extract/gone.js';
import { queryOf, type RecordPage } from '../extract/walk.js';
import { dateFolder } from '../lake/paths.js';
import type { Sink } from '../sinks/sink.js';
import { scopedStream, streams } from '../streams/index.js';
import { pathOf } from '../streams/path.js';
import {
  ancestorsOf,
  folderOf,
  keyText,
  ownKey,
  type ParentKey,
  parentKeys,
  type Stream,
} from '../streams/stream.js';
import { checkListed } from './listed.js';
import type { SnapshotSettings } from './settings.js';
import type { StagedRun, StagedSlice } from './staged-run.js';
import { newEvidence, writeWalk } from './walk-writer.js';

export interface Extraction {
  client: ComplianceClient;
  run: StagedRun;
  sinks: readonly Sink[];
  settings: SnapshotSettings;
  onEvent: OnEvent;
  signal: AbortSignal;
  clock: Clock;
}

/** One list that is to be read. */
interface Work {
  stream: Stream;
  parent: ParentKey;
}

/** Reads everything that a run is to hold into its staged run, except what is there already. */
export async function extractRun(extraction: Extraction): Promise<void> {
  const { run, settings, signal, clock, onEvent } = extraction;
  for (const wave of wavesOf(settings.streams)) {
    const slices = wave.flatMap((stream) => slicesOf(stream, run).map((parent) => ({ stream, parent })));
    checkStillListed(run, slices);
    const open = slices.filter((work) => isOpen(work, run));
    if (wave.some(({ parent }) => parent))
      onEvent({ type: 'slices-listed', slices: slices.length, open: open.length });
    await forEachConcurrently(open, { limit: settings.concurrency, signal }, (work, aborted) =>
      stageSlice(work, { ...extraction, signal: aborted }),
    );
  }
  await run.record({ type: 'ready', extracted_at: new Date(clock.now()).toISOString() });
}

/** What is asked for and what that needs, parents before children; the streams of one wave are read side by side. */
export function wavesOf(asked: readonly string[]): Stream[][] {
  const wanted = streams.filter(({ name }) => asked.includes(name));
  const needed = new Set(wanted.flatMap((stream) => [...ancestorsOf(stream), stream]));
  const waves: Stream[][] = [];
  for (const stream of streams.filter((stream) => needed.has(stream))) {
    const depth = ancestorsOf(stream).length;
    waves[depth] = [...(waves[depth] ?? []), stream];
  }
  return waves;
}

/** The lists of a stream, in the order in which their parents were served, at every level. */
export function slicesOf(stream: Stream, run: StagedRun): ParentKey[] {
  if (!stream.parent) return [{}];
  const { stream: above } = stream.parent;
  return slicesOf(above, run).flatMap((parent) =>
    parentKeys(stream, parent, run.slice(above.name, parent)?.keys ?? []),
  );
}

/** A list without a parent is read by each process: it is short, and shows whether the key still sees what was staged. */
const isOpen = ({ stream, parent }: Work, run: StagedRun): boolean =>
  !stream.parent || run.slice(stream.name, parent)?.verdict !== 'complete';

async function stageSlice(work: Work, extraction: Extraction): Promise<void> {
  const { run, settings, onEvent } = extraction;
  const { stream, parent } = work;
  const list = { stream: stream.name, ...(stream.parent && { parent }) };
  try {
    const slice = await readSlice(work, extraction);
    await run.record({ type: 'slice', slice });
    onEvent({ type: 'slice-written', ...list, rows: slice.rows });
  } catch (error) {
    const verdict = verdictOf(error);
    // A full disk is no fault of the list, and without the list of parents there is no rest to publish.
    const isOfSlice = verdict && error instanceof ComplianceError && !(error instanceof StorageError);
    if (!isOfSlice || !stream.parent || extraction.signal.aborted) throw error;
    // What a person must change fails every list alike. A stream that was not asked for is read for the lists below it: no
    // table would show that they are missing.
    const isFatal =
      settings.onOrgFailure === 'stop' ||
      error.failure === 'config' ||
      !settings.streams.includes(stream.name);
    if (verdict === 'failed' && isFatal) throw sliceError(work, error);
    const reason = { code: error.code, message: error.message };
    onEvent({ type: 'slice-failed', ...list, verdict, ...reason });
    const evidence = newEvidence({
      endpoint: pathOf(stream, parent),
      parameters: queryOf(stream, limitOf(extraction)),
    });
    await run.record({ type: 'slice', slice: { ...list, parent, ...evidence, verdict, reason, files: {} } });
  }
}

async function readSlice({ stream, parent }: Work, extraction: Extraction): Promise<StagedSlice> {
  const { client, run, sinks, settings, signal } = extraction;
  const { run_date } = run.header;
  const keys: string[] = [];
  const hasLists = streams.some((other) => other.parent?.stream === stream);
  const wanted = stream === scopedStream ? settings.org?.map((id) => id.toLowerCase()) : undefined;
  async function* pages(): AsyncGenerator<RecordPage<object>> {
    for await (const page of client.pages(stream, { parent, signal })) {
      const records = wanted
        ? page.records.filter((record) => wanted.includes(ownKey(stream, record).toLowerCase()))
        : page.records;
      if (hasLists) for (const record of records) keys.push(ownKey(stream, record));
      yield { ...page, records };
    }
  }
  const { evidence, files } = await writeWalk(pages(), {
    schema: stream.schema,
    added: { ...parent, snapshot_date: run_date },
    sinks: settings.streams.includes(stream.name) ? sinks : [],
    files: run.files,
    folder: `${dateFolder(stream.name, run_date)}/${folderOf(stream, parent)}`,
    rowsPerFile: settings.rowsPerFile,
    endpoint: pathOf(stream, parent),
    parameters: queryOf(stream, limitOf(extraction)),
    emptyFile: !stream.parent,
  });
  if (hasLists) checkFolderNames(stream, keys);
  if (wanted) checkListed(settings.org ?? [], keys);
  const own = { stream: stream.name, parent, ...evidence, verdict: 'complete', reason: null, files } as const;
  return hasLists ? { ...own, keys } : own;
}

const limitOf = ({ client }: Extraction) => ({ limit: client.pageSize });

function sliceError({ stream, parent }: Work, cause: ComplianceError): ComplianceError {
  return new ComplianceError(
    `Reading ${stream.name} of ${keyText(parent)} failed, so nothing is published. ${cause.message} What was read is kept: run the same command again to resume.`,
    { code: cause.code, failure: cause.failure, cause },
  );
}

/**
 * Checks the keys that are about to become names of folders.
 * @throws ProtocolError `parent_id_invalid`, or `parent_id_ambiguous` for two that differ in case only
 */
function checkFolderNames({ name }: Stream, keys: readonly string[]): void {
  const invalid = keys.filter((key) => !/^[A-Za-z0-9_-]{1,128}$/.test(key)).length;
  if (invalid > 0) {
    throw new ProtocolError(
      `The API listed ${invalid} of ${name} with an id that cannot name a folder (letters, digits, _ and - only). Nothing was published.`,
      { code: 'parent_id_invalid' },
    );
  }
  if (new Set(keys.map((key) => key.toLowerCase())).size < keys.length) {
    throw new ProtocolError(
      `The API listed two of ${name} whose ids differ in case only; some file systems would mix them up. Nothing was published.`,
      { code: 'parent_id_ambiguous' },
    );
  }
}

function checkStillListed(run: StagedRun, slices: readonly Work[]): void {
  const listed = new Set(slices.map(({ stream, parent }) => `${stream.name}/${keyText(parent)}`));
  const missing = [...new Set(slices.map(({ stream }) => stream))].flatMap(({ name }) =>
    run
      .slicesOf(name)
      .filter(({ verdict, parent }) => verdict === 'complete' && !listed.has(`${name}/${keyText(parent)}`)),
  ).length;
  if (missing === 0) return;
  throw new ConfigError(
    `The unfinished run holds ${missing} list(s) of organisations that this key does not see. Is it the key of another parent organisation? Start again with --fresh.`,
    { code: 'resume_mismatch' },
  );
}
