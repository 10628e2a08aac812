import { ConfigError } from '../errors.js';
import { isBackDated } from '../lake/manifest.js';

/**
 * The API is read now, so that what is filed under another day is no evidence of that day: nobody may do so by accident.
 * @throws ConfigError `run_date_not_today`
 */
export function checkRunDate(
  run: Parameters<typeof isBackDated>[0],
  { backDated }: { backDated: boolean },
): void {
  if (backDated || !isBackDated(run)) return;
  throw new ConfigError(
    `The run date ${run.run_date} is not today's (${run.started_at.slice(0, 10)}, UTC), and no unfinished run of it can be resumed. The API is read now, whatever the date. Leave out --run-date; or give --back-dated as well: the manifest, snapshots and verify show on which day it was read.`,
    { code: 'run_date_not_today' },
  );
}
