import { ConfigError } from '../errors.js';
import type { Storage } from '../storage/storage.js';
import { type Log, readLog } from './log.js';
import { listRunDates, manifestSha256 } from './manifest-file.js';
import { type Look, verifyDate } from './verify-date.js';

/** What a verification came to. */
export interface Verification extends Look {
  logEntries: number;
}

interface VerifyRequest {
  storage: Storage;
  /** Default: the newest. */
  runDate?: string | undefined;
  /** Every run date there is. */
  all?: boolean | undefined;
}

/**
 * Reads again what lies in a root and compares it with its manifests and its log.
 * @throws ConfigError `nothing_to_verify`, StorageError
 */
export async function verify({ storage, runDate, all = false }: VerifyRequest): Promise<Verification> {
  const known = await listRunDates(storage);
  const chosen = all ? known : known.filter((date) => date === (runDate ?? known[0]));
  if (chosen.length === 0) {
    throw new ConfigError(
      `There is no snapshot${runDate ? ` of ${runDate}` : ''} in ${storage.location}. Is it the folder that dump was given as --out?`,
      { code: 'nothing_to_verify' },
    );
  }
  const verification: Verification = { runDates: [], logEntries: 0, findings: [] };
  const log = await readLog(storage);
  verification.logEntries = log.entries.length;
  for (const seq of log.broken) {
    verification.findings.push({
      path: `_runs/log (entry ${seq})`,
      problem: 'log',
      detail: 'the chain is broken here: this entry or the one before was changed or taken away',
    });
  }
  for (const date of chosen) {
    const look = await lookAt(storage, date, log);
    verification.runDates.push(...look.runDates);
    verification.findings.push(...look.findings);
  }
  return verification;
}

/** While a run publishes, what lies there changes under who looks: then it is looked at again, so many times. */
const LOOKS = 4;

async function lookAt(storage: Storage, runDate: string, first: Log): Promise<Look> {
  let log = first;
  for (let looks = LOOKS; ; looks -= 1) {
    const before = await manifestSha256(storage, runDate);
    const look = await verifyDate(storage, runDate, log.entries);
    if (looks === 1 || (await manifestSha256(storage, runDate)) === before) return look;
    log = await readLog(storage);
  }
}
