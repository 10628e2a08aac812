import { type Clock, systemClock } from '../clock.js';
import { readDataset } from '../lake/dataset.js';
import { existingLog } from '../lake/existing-log.js';
import { brokenEntries, type Log, readLog, runDatesOf, type StoredEntry } from '../lake/log.js';
import { headOfLog, type LogHead } from '../lake/log-head.js';
import { newestDates } from '../lake/newest-dates.js';
import { dateOf, LOG, logKey } from '../lake/paths.js';
import type { Storage } from '../storage/storage.js';
import type { Finding } from './finding.js';
import { misplacedDates, misplacedManifests } from './misplaced.js';
import { type DateReport, verifyDate } from './verify-date.js';

/** What a verification came to. */
export interface Verification {
  head: LogHead;
  runDates: DateReport[];
  /** Empty: everything is as it was published. */
  findings: Finding[];
}

export interface VerifyRequest {
  storage: Storage;
  /** Whose files are read. Default: the newest. The names of all run dates are compared in any case. */
  runDate?: string | undefined;
  /** Read the files of every run date. */
  all?: boolean | undefined;
  /** A head that the log had once: it must still be in it. */
  expect?: LogHead | undefined;
  /** Whose today is the last day that may be the newest. Default: the machine's. */
  clock?: Clock | undefined;
}

/**
 * Compares a root with its log, in both directions: log → manifests → files, and files → manifests → log.
 * @throws ConfigError `snapshot_missing`, StorageError
 */
export async function verify({
  storage,
  runDate,
  all = false,
  expect,
  clock = systemClock,
}: VerifyRequest): Promise<Verification> {
  const log = await logOf(storage, runDate);
  const known = runDatesOf(log);
  const newest = newestDates(log, clock)[0] ?? known[0];
  const chosen = all ? known : known.filter((date) => date === (runDate ?? newest));
  const findings: Finding[] = [
    ...(log.length === 0 ? [NO_LOG] : []),
    ...brokenChain(log),
    ...(expect ? unexpectedHead(log, expect) : []),
  ];
  const runDates: DateReport[] = [];
  for (const date of known) {
    const readsFiles = chosen.includes(date);
    const { report, findings: found } = await verifyDate({ storage, runDate: date, log, readsFiles });
    if (report && readsFiles) runDates.push(report);
    findings.push(...found);
  }
  findings.push(...(await misplacedManifests(storage, log)), ...(await misplacedDates(storage, log)));
  for await (const { key, problem, detail } of storage.audit?.() ?? []) {
    const date = dateOf(key);
    findings.push({ ...(date !== undefined && { runDate: date }), path: key, problem, detail });
  }
  return { head: headOfLog(log), runDates, findings };
}

/** Without a log a root that was used is reported as such, and any other place as a mistake. */
const logOf = async (storage: Storage, runDate: string | undefined): Promise<Log> =>
  runDate === undefined && (await readDataset(storage)) ? readLog(storage) : existingLog(storage, runDate);

const NO_LOG: Finding = {
  path: LOG,
  problem: 'log',
  detail: 'has no entry: nothing was published here, or the log was removed',
};

const brokenChain = (log: Log): Finding[] =>
  brokenEntries(log).map((seq) => ({
    path: logKey(seq),
    problem: 'log',
    detail: 'the chain is broken here: this entry, or the one before it, is missing or was changed',
  }));

function unexpectedHead(log: Log, { entries, sha256 }: LogHead): Finding[] {
  const found: StoredEntry | undefined = log[entries - 1];
  if (found?.sha256 === sha256) return [];
  const detail = found
    ? 'this entry is not the one that was expected: the log was rewritten'
    : `the log has ${log.length} entries where ${entries} were expected: it was cut`;
  return [{ path: logKey(entries), problem: 'head', detail }];
}
