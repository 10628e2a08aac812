import type { ComplianceClient } from '../../src/index.js';
import { command, type Surroundings } from '../cli/command.js';
import { connect } from '../cli/connection.js';
import { openProgress } from '../cli/progress.js';
import { openRoot } from '../cli/root.js';
import { extract } from './extraction.js';
import { duckdbLoader } from './load-duckdb.js';
import { postgresLoader } from './load-postgres.js';
import { checkTogether, type LoadSettings, loadSettings, targets } from './load-settings.js';
import { writeScript } from './load-sql.js';
import type { Loader } from './loader.js';
import { postgresAddress } from './postgres-address.js';
import { chooseSnapshot, isCurrent, type SnapshotSource } from './snapshot-source.js';
import { defaultState, withStaging } from './staging.js';

/** Brings a snapshot into a warehouse, from the API or from a dump. */
export const load = command({
  name: 'load',
  summary: 'Loads a snapshot into a warehouse, or writes the SQL that does.',
  positional: { key: 'target', choices: targets, describe: 'The warehouse.' },
  settings: loadSettings,
  async run(settings, surroundings) {
    checkTogether(settings);
    if (settings.target === 'sql') return await writeScript(settings, surroundings);
    const { environment, signal, stdout } = surroundings;
    const loader = await loaderOf(settings, surroundings);
    await loader.check();
    return await withStaging(settings.state ?? defaultState(environment), async (staging) => {
      const source = await sourceOf(settings, surroundings, staging);
      signal.throwIfAborted();
      const notes = await loader.load({ source, staging });
      stdout.write(`${summary(source, loader, notes)}\n`);
      return source.manifest.status === 'complete' ? 0 : 1;
    });
  },
});

async function loaderOf(settings: LoadSettings, { environment, signal }: Surroundings): Promise<Loader> {
  const { target, database = 'compliance.duckdb', schema, url, urlFile } = settings;
  if (target === 'duckdb') return duckdbLoader({ database, schema: schema ?? 'main', signal });
  const address = await postgresAddress({ url, urlFile, environment });
  return postgresLoader({ address, schema: schema ?? 'claude_compliance', signal });
}

async function sourceOf(
  settings: LoadSettings,
  surroundings: Surroundings,
  staging: string,
): Promise<SnapshotSource> {
  const { from, runDate, allowIncomplete } = settings;
  if (from !== undefined) {
    const storage = await openRoot({ ...settings, out: from });
    return await chooseSnapshot({ storage, runDate: runDate ?? 'latest', allowIncomplete });
  }
  const progress = openProgress(settings.progress, surroundings);
  try {
    await using client: ComplianceClient = connect(keyed(settings), surroundings, progress.onEvent);
    return await extract({
      client,
      streams: settings.streams,
      concurrency: settings.concurrency,
      onOrgFailure: allowIncomplete ? 'continue' : 'stop',
      ...(settings.org !== undefined && { org: settings.org }),
      runDate,
      staging,
      signal: surroundings.signal,
      onEvent: progress.onEvent,
    });
  } finally {
    progress.close();
  }
}

/** `checkTogether` has seen the key. */
const keyed = (settings: LoadSettings) => ({ ...settings, apiKey: settings.apiKey ?? '' });

function summary({ manifest }: SnapshotSource, { target }: Loader, notes: readonly string[]): string {
  const { totals, run_date, status } = manifest;
  const lines = [
    `${status} snapshot of ${run_date}: ${number(totals.organizations)} organisations, ${number(totals.users)} users`,
    `  in ${target}`,
    ...notes.map((note) => `  ${note}`),
  ];
  if (!isCurrent(manifest))
    lines.push('  it is not a full, complete one: organizations_current and users_current pass it over');
  return lines.join('\n');
}

const number = (value: number): string => value.toLocaleString('en-GB');
