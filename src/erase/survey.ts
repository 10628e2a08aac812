import { ComplianceError, type Failure } from '../errors.js';
import { erasedFrom } from '../lake/erasures.js';
import { fileRows } from '../lake/file-rows.js';
import { currentOf, type Log, runDatesOf } from '../lake/log.js';
import { readCurrent, type StoredManifest } from '../lake/manifest-file.js';
import type { Storage } from '../storage/storage.js';
import { userColumn } from '../streams/stream.js';
import { type PersonTexts, personTexts } from './person-texts.js';
import { filesOf, tablesToRead } from './plan-day.js';

/** A run date in which the person may still be, and why. */
export interface FailedDate {
  runDate: string;
  code: string;
  message: string;
  failure: Failure;
}

/** What a root knows of a person before anything is changed. */
export interface Survey {
  texts: PersonTexts;
  /** The snapshots that have files, the oldest first. */
  snapshots: Map<string, StoredManifest>;
  failed: FailedDate[];
  /** When the person was erased before, by run date; the last time for each. */
  erasedBefore: Map<string, string>;
  /** Of the erasures that the root has seen. */
  salt: string | undefined;
  /** Whether an id column, or an earlier erasure, has the id. */
  isKnown: boolean;
}

/** Reads who the person is, in every snapshot: an address of last year may stand in a text of today. */
export async function surveyPerson(
  { storage, log, signal }: { storage: Storage; log: Log; signal?: AbortSignal | undefined },
  id: string,
): Promise<Survey> {
  const survey: Survey = {
    texts: personTexts(id),
    snapshots: new Map(),
    failed: [],
    erasedBefore: new Map(),
    salt: undefined,
    isKnown: false,
  };
  for (const runDate of runDatesOf(log).reverse()) {
    if (currentOf(log, runDate)?.action === 'prune') continue;
    await orFailed(survey.failed, runDate, async () => {
      const stored = await readCurrent(storage, log, runDate);
      if (!stored || stored.manifest.status === 'pruned') return;
      noteErasures(stored, id, survey);
      await learn(stored, { storage, signal }, survey);
      survey.snapshots.set(runDate, stored);
    });
  }
  return survey;
}

/** What goes wrong with one date does not keep the others from being erased. */
export async function orFailed(
  failed: FailedDate[],
  runDate: string,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof ComplianceError)) throw error;
    const { code, message, failure } = error;
    if (!failed.some((known) => known.runDate === runDate)) failed.push({ runDate, code, message, failure });
  }
}

function noteErasures({ manifest }: StoredManifest, id: string, survey: Survey): void {
  const { erasures = [], run_date } = manifest;
  survey.salt ??= erasures[0]?.salt;
  for (const erasure of erasures)
    if (erasedFrom({ erasures: [erasure] })(id)) survey.erasedBefore.set(run_date, erasure.erased_at);
  if (survey.erasedBefore.size > 0) survey.isKnown = true;
}

async function learn(
  { manifest }: StoredManifest,
  { storage, signal }: { storage: Storage; signal?: AbortSignal | undefined },
  survey: Survey,
): Promise<void> {
  const { texts } = survey;
  for (const { stream, table } of tablesToRead(storage, manifest)) {
    const own = userColumn(stream);
    const ids = stream.fields.filter(({ isUserId }) => isUserId).map(({ name }) => name);
    if (ids.length === 0) continue;
    const named = stream.fields.filter(({ personal }) => personal);
    for (const file of filesOf(table)) {
      signal?.throwIfAborted();
      for await (const rows of fileRows(file, stream.schema, { storage, manifest }))
        for (const row of rows) {
          if (ids.some((name) => row[name] === texts.id)) survey.isKnown = true;
          if (own === undefined || row[own] !== texts.id) continue;
          for (const { name, personal } of named) {
            const text = row[name];
            if (personal && typeof text === 'string') texts.learn(personal, text);
          }
        }
    }
  }
}
