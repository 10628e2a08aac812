import { currentOf, type Log, readLog } from '../lake/log.js';
import { dateOf, manifestKey, parseManifestKey, runOfPart } from '../lake/paths.js';
import { RUNS } from '../storage/own-folders.js';
import type { Storage } from '../storage/storage.js';
import { streams } from '../streams/index.js';
import type { Finding } from './finding.js';

/** Log → manifests, and manifests → log, by their names. */
export async function misplacedManifests(storage: Storage, log: Log): Promise<Finding[]> {
  const found = new Map<string, { runDate: string; runId: string }>();
  for await (const { key } of storage.list(RUNS)) {
    const parsed = parseManifestKey(key);
    if (parsed) found.set(key, parsed);
  }
  const findings: Finding[] = [];
  const named = manifestsOf(await readLog(storage, log)); // one may have been published meanwhile
  for (const [path, { runDate, runId }] of found) {
    if (named.has(path)) continue;
    const detail = `the log does not name this manifest: run ${runId} did not finish, or its log entry is gone`;
    findings.push({ runDate, path, problem: 'unreferenced', detail });
  }
  for (const [path, runDate] of manifestsOf(log)) {
    if (found.has(path)) continue;
    const detail = 'the log names this manifest, and it is not there';
    findings.push({ runDate, path, problem: 'missing', detail });
  }
  return findings;
}

/** The run dates of the manifests that a log names, by their keys. */
const manifestsOf = (log: Log): Map<string, string> =>
  new Map(
    log.flatMap(({ entry }) =>
      entry?.manifest_sha256 ? [[manifestKey(entry.run_date, entry.run_id), entry.run_date]] : [],
    ),
  );

/** Files in folders of run dates that nobody published, or of no run date at all: one finding for each run date. */
export async function misplacedDates(storage: Storage, log: Log): Promise<Finding[]> {
  const found = new Map<string, string>();
  for (const { name } of streams)
    for await (const { key } of storage.list(name)) found.set(dateOf(key) ?? '', key);
  const findings: Finding[] = [];
  const later = await readLog(storage, log);
  for (const [runDate, path] of found) {
    if (currentOf(later, runDate)) continue;
    const run = runOfPart(path);
    const whose =
      run === undefined ? 'no run of this connector writes such a name' : `it belongs to run ${run}`;
    const what = runDate
      ? 'the log knows no snapshot of this run date'
      : 'it is in the folder of no run date';
    findings.push({
      ...(runDate && { runDate }),
      path,
      problem: 'unreferenced',
      detail: `${what}: ${whose}`,
    });
  }
  return findings;
}
