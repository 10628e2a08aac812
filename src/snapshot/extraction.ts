import type { Clock } from '../clock.js';
import { forEachConcurrently } from '../concurrency.js';
import { ComplianceError, ConfigError, StorageError } from '../errors.js';
import type { OnEvent } from '../events.js';
import type { ComplianceClient } from '../extract/compliance-client.js';
import { createFingerprints } from '../extract/fingerprints.js';
import type { Organization } from '../records.js';
import { organizationsSchema, usersSchema } from '../schema.js';
import type { Sink } from '../sinks/sink.js';
import { checkListed } from './listed.js';
import { checkOrganizationUuids, organizationFolder } from './partition.js';
import type { SnapshotSettings } from './settings.js';
import type { StagedSlice, Staging } from './staging.js';
import { newWalk, type WalkPage, type WalkState, writeWalk } from './walk-writer.js';

export interface Extraction {
  client: ComplianceClient;
  staging: Staging;
  sinks: readonly Sink[];
  settings: SnapshotSettings;
  pageSize: number;
  onEvent: OnEvent;
  signal: AbortSignal | undefined;
  clock: Clock;
}

const LIST = '/v1/compliance/organizations';

/** Reads everything that a run is to hold into its staging, going on from what lies there. */
export async function extract(extraction: Extraction): Promise<void> {
  const { staging, settings, signal, clock, onEvent } = extraction;
  const uuids = await stageOrganizations(extraction);
  onEvent({ type: 'organizations-listed', organizations: uuids.length });
  if (settings.streams.includes('users')) {
    const open = uuids.filter((uuid) => staging.progress.slices.get(uuid)?.verdict !== 'complete');
    await forEachConcurrently(open, { limit: settings.concurrency, signal }, (uuid, aborted) =>
      stageSlice(uuid, { ...extraction, signal: aborted }),
    );
  }
  // A table without rows is published too, as an empty folder.
  for (const { format } of extraction.sinks) await staging.makeFolders(format, settings.streams);
  await staging.record({ type: 'ready', extracted_at: new Date(clock.now()).toISOString() });
}

/** Reads the list anew in each process: it is short, and shows whether the key still sees what was staged. */
async function stageOrganizations({
  client,
  staging,
  sinks,
  settings,
  ...rest
}: Extraction): Promise<string[]> {
  const uuids: string[] = [];
  const wanted = settings.org && new Set(settings.org.map((uuid) => uuid.toLowerCase()));
  async function* pages(): AsyncGenerator<WalkPage> {
    for await (const page of client.organizations.organizationPages({ signal: rest.signal })) {
      const records = page.records.filter(
        ({ uuid }: Organization) => !wanted || wanted.has(uuid.toLowerCase()),
      );
      uuids.push(...records.map(({ uuid }) => uuid));
      yield { ...page, records };
    }
  }
  const { run_date } = staging.header;
  const state = await writeWalk(pages(), {
    schema: organizationsSchema,
    added: { snapshot_date: run_date },
    sinks: settings.streams.includes('organizations') ? sinks : [],
    staging,
    runDate: run_date,
    folder: '',
    rowsPerFile: Number.POSITIVE_INFINITY,
    pageSize: 0,
    state: newWalk(LIST, {}),
    emptyFile: true,
  });
  checkOrganizationUuids(uuids);
  checkListed(settings.org ?? [], uuids);
  checkStillListed(staging, uuids);
  await staging.record({ type: 'organizations', organizations: { ...state, uuids } });
  return uuids;
}

/** Reads one organisation's users, from where an earlier process left off. */
async function stageSlice(uuid: string, extraction: Extraction): Promise<void> {
  const { staging, settings, onEvent } = extraction;
  try {
    const slice = await readSlice(uuid, extraction, staging.progress.parts.get(uuid));
    await staging.record({ type: 'slice', slice });
    onEvent({ type: 'slice-written', organizationUuid: uuid, rows: slice.rows });
  } catch (error) {
    // A full disk is no fault of the organisation.
    const isOfOrganization = error instanceof ComplianceError && !(error instanceof StorageError);
    if (!isOfOrganization || extraction.signal?.aborted) throw error;
    const verdict = error.code === 'organization_gone' ? 'gone' : 'failed';
    // What a person must change fails every organisation alike: there is no rest to land.
    const fatal = verdict === 'failed' && (settings.onOrgFailure === 'stop' || error.failure === 'config');
    if (fatal) throw sliceError(uuid, error);
    onEvent({
      type: 'slice-failed',
      organizationUuid: uuid,
      verdict,
      code: error.code,
      message: error.message,
    });
    const reason = { code: error.code, message: error.message };
    await staging.record({ type: 'slice', slice: { ...emptySlice(uuid, extraction), verdict, reason } });
  }
}

async function readSlice(
  uuid: string,
  extraction: Extraction,
  part: { slice: StagedSlice; next: string } | undefined,
): Promise<StagedSlice> {
  const { client, staging, sinks, settings, signal } = extraction;
  const { run_date } = staging.header;
  const seen = createFingerprints(part && (await staging.loadSeen(part.slice)));
  const limit = pageLimit(extraction);
  const from = part ? { from: part.next } : {};
  let last = part?.slice;
  try {
    const state = await writeWalk(client.organizations.pages(uuid, { ...from, seen, limit, signal }), {
      schema: usersSchema,
      added: { organization_uuid: uuid, snapshot_date: run_date },
      sinks,
      staging,
      runDate: run_date,
      folder: `${organizationFolder(uuid)}/`,
      rowsPerFile: settings.rowsPerFile,
      pageSize: limit,
      state: part?.slice ?? emptySlice(uuid, extraction),
      emptyFile: false,
      async onPart(closed, next) {
        const slice = complete(uuid, closed);
        await staging.saveSeen(slice, seen.toBytes());
        await staging.record({ type: 'part', slice, next });
        if (last) await staging.dropSeen(last);
        last = slice;
      },
    });
    return complete(uuid, state);
  } catch (error) {
    if (part === undefined || !(error instanceof ComplianceError) || error.code !== 'stale_token')
      throw error;
    extraction.onEvent({ type: 'walk-restarted', organizationUuid: uuid });
    await staging.record({ type: 'restarted', organization_uuid: uuid });
    return await readSlice(uuid, extraction, undefined);
  }
}

const complete = (uuid: string, state: WalkState): StagedSlice => ({
  ...state,
  organization_uuid: uuid,
  verdict: 'complete',
  reason: null,
});

/** Users asked for with one request: a page fits in a file. */
const pageLimit = ({ pageSize, settings }: Extraction): number => Math.min(pageSize, settings.rowsPerFile);

const emptySlice = (uuid: string, extraction: Extraction): StagedSlice =>
  complete(uuid, newWalk(`${LIST}/${uuid}/users`, { limit: pageLimit(extraction) }));

function sliceError(uuid: string, cause: ComplianceError): ComplianceError {
  return new ComplianceError(
    `Reading the users of organisation ${uuid} failed, so nothing is published. ${cause.message} What was read is kept: the same command goes on from there.`,
    { code: cause.code, failure: cause.failure, cause },
  );
}

function checkStillListed({ progress }: Staging, listed: readonly string[]): void {
  const known = new Set(listed);
  const whole = [...progress.slices.values()].filter(({ verdict }) => verdict === 'complete');
  const staged = new Set([
    ...progress.parts.keys(),
    ...whole.map(({ organization_uuid }) => organization_uuid),
  ]);
  const missing = [...staged].filter((uuid) => !known.has(uuid)).length;
  if (missing === 0) return;
  throw new ConfigError(
    `The unfinished run holds ${missing} organisation(s) that this key does not list. Is it the key of another parent organisation? Begin anew with --fresh.`,
    { code: 'resume_mismatch' },
  );
}
