import type { Clock } from '../clock.js';
import { ComplianceError, ConfigError, ProtocolError, StorageError } from '../errors.js';
import type { OnEvent } from '../events.js';
import type { ComplianceClient } from '../extract/compliance-client.js';
import { verdictOf } from '../extract/gone.js';
import { queryOf } from '../extract/walk.js';
import { dateFolder } from '../lake/paths.js';
import type { Pseudonyms } from '../model/pseudonyms.js';
import { textOf } from '../raw-text.js';
import type { Sink } from '../sinks/sink.js';
import { scopedStream, streams } from '../streams/index.js';
import { isId } from '../streams/path.js';
import { aboveOf, folderOf, keyText, ownKey, type Stream } from '../streams/stream.js';
import { checkListed } from './listed.js';
import type { SnapshotSettings } from './settings.js';
import { endpointOf, placesOf, type Work } from './slices.js';
import type { StagedRun, StagedSlice } from './staged-run.js';
import { newEvidence, type ServedPage, writeWalk } from './walk-writer.js';

/** What is read, and into what. */
export interface Extraction {
  client: ComplianceClient;
  run: StagedRun;
  sinks: readonly Sink[];
  settings: SnapshotSettings;
  pseudonyms?: Pseudonyms | undefined;
  onEvent: OnEvent;
  signal: AbortSignal;
  clock: Clock;
}

/** The code of a 403 that names no scope: other lists of the stream may be allowed. */
export const REFUSED_ONE = 'permission_denied';

/**
 * Reads one list into the staged run, or records why it was not read.
 * @throws ComplianceError when nothing may be published because of it
 */
export async function stageSlice(work: Work, extraction: Extraction): Promise<void> {
  const { run, settings, onEvent } = extraction;
  const { stream, parent } = work;
  const list = { stream: stream.name, ...(stream.parent && { parent }) };
  try {
    const slice = await readSlice(work, extraction);
    await run.record({ type: 'slice', slice });
    onEvent({ type: 'slice-written', ...list, rows: slice.rows });
  } catch (error) {
    const verdict = verdictOf(error);
    // A full disk is no fault of the list.
    const isOfSlice = verdict && error instanceof ComplianceError && !(error instanceof StorageError);
    if (!isOfSlice || extraction.signal.aborted) throw error;
    // What a person must change fails every list alike. A stream that was not asked for is read for the lists below it: no
    // table would show that they are missing.
    const isFatal =
      settings.onOrgFailure === 'stop' ||
      (error.failure === 'config' && error.code !== REFUSED_ONE) ||
      stream === scopedStream ||
      !settings.streams.includes(stream.name);
    if (verdict === 'failed' && isFatal) throw sliceError(work, error);
    const reason = { code: error.code, message: error.message };
    onEvent({ type: 'slice-failed', ...list, verdict, ...reason });
    const evidence = newEvidence({
      endpoint: endpointOf(work, run),
      parameters: queryOf(stream, limitOf(extraction)),
    });
    await run.record({ type: 'slice', slice: { ...list, parent, ...evidence, verdict, reason, files: {} } });
  }
}

async function readSlice({ stream, parent }: Work, extraction: Extraction): Promise<StagedSlice> {
  const { client, run, sinks, settings, pseudonyms, signal } = extraction;
  const { run_date } = run.header;
  const keys: string[] = [];
  const hasLists = streams.some((other) => aboveOf(other)?.stream === stream);
  const through = placesOf(stream, run);
  const wanted = stream === scopedStream ? settings.org?.map((id) => id.toLowerCase()) : undefined;
  async function* pages(): AsyncGenerator<ServedPage> {
    for await (const page of client.pages(stream, { parent, through, signal })) {
      const { records, isRaw } = page.served;
      const chosen = wanted
        ? records.filter((record) => wanted.includes(ownKey(stream, record).toLowerCase()))
        : records;
      const keyOf = (record: object) => (isRaw ? textOf(ownKey(stream, record)) : ownKey(stream, record));
      if (hasLists) keys.push(...chosen.map(keyOf));
      yield wanted ? { ...page, served: { ...page.served, records: chosen }, sha256: null } : page;
    }
  }
  const { evidence, files } = await writeWalk(pages(), {
    schema: stream.schema,
    added: { ...parent, snapshot_date: run_date },
    sinks: settings.streams.includes(stream.name) ? sinks : [],
    files: run.files,
    folder: `${dateFolder(stream.name, run_date)}/${folderOf(stream, parent)}`,
    rowsPerFile: settings.rowsPerFile,
    parameters: queryOf(stream, limitOf(extraction)),
    emptyFile: !stream.parent,
    pseudonyms,
  });
  if (hasLists) checkFolderNames(stream, keys);
  if (wanted) checkListed(settings.org ?? [], keys);
  const own = { stream: stream.name, parent, ...evidence, verdict: 'complete', reason: null, files } as const;
  return hasLists ? { ...own, keys } : own;
}

const limitOf = ({ client }: Extraction) => ({ limit: client.pageSize });

function sliceError({ stream, parent }: Work, cause: ComplianceError): ComplianceError {
  const { code, failure, message } = cause;
  const { name, scope } = stream;
  if (code === 'missing_scope') {
    return new ConfigError(
      `The key may not read ${name}: it lacks the scope ${scope}. Nothing was published. Use a key that has it, or leave ${name} out of --streams, with what is read below it. ${message}`,
      { code, cause },
    );
  }
  if (!stream.parent) return cause;
  return new ComplianceError(
    `Reading ${name} of ${keyText(parent)} failed, so nothing is published. ${message} What was read is kept: run the same command again to resume.`,
    { code, failure, cause },
  );
}

/**
 * Checks the keys that are about to become names of folders.
 * @throws ProtocolError `parent_id_invalid`, or `parent_id_ambiguous` for two that differ in case only
 */
function checkFolderNames({ name }: Stream, keys: readonly string[]): void {
  const invalid = keys.filter((key) => !isId(key)).length;
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
