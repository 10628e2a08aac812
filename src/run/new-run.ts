import type { Clock } from '../clock.js';
import type { ComplianceClient } from '../extract/compliance-client.js';
import { sha256Of } from '../lake/json-file.js';
import type { Pseudonyms } from '../model/pseudonyms.js';
import type { Sink } from '../sinks/sink.js';
import { streams } from '../streams/index.js';
import { VERSION } from '../version.js';
import { marked, type SnapshotSettings, snapshotSettings } from './settings.js';
import type { RunHeader } from './unfinished-runs.js';

interface NewRun {
  runId: string;
  settings: SnapshotSettings;
  sinks: readonly Sink[];
  /** Where each of them goes. */
  roots: readonly string[];
  client: ComplianceClient;
  pseudonyms?: Pseudonyms | undefined;
  clock: Clock;
}

/**
 * A run that begins now. Its fingerprint holds everything that shapes the files: only a run with the same one, so of the
 * same version of the connector, is resumed.
 */
export function newRun({ runId, settings, sinks, roots, client, pseudonyms, clock }: NewRun): RunHeader {
  const startedAt = new Date(clock.now()).toISOString();
  const shapes = marked(snapshotSettings, 'shapesFiles').map((key) => [
    key,
    settings[key as keyof SnapshotSettings],
  ]);
  const identity = {
    version: VERSION,
    columns: streams.map(({ name, schema }) => [name, schema.fields.map((field) => field.name)]),
    settings: Object.fromEntries(shapes),
    api: client.baseUrl,
    pseudonyms: pseudonyms?.scheme ?? null,
    targets: sinks.map(({ format, extension, options }, i) => [format, extension, options, roots[i]]),
  };
  return {
    run_id: runId,
    run_date: settings.runDate ?? startedAt.slice(0, 10),
    run_date_given: settings.runDate !== undefined,
    started_at: startedAt,
    fingerprint: sha256Of(JSON.stringify(identity)),
    scope: {
      streams: settings.streams,
      known: streams.map(({ name }) => name),
      organizations: settings.org ?? 'all',
    },
    roots: [...roots],
  };
}
