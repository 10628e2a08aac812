import { type ComplianceClient, withScratch } from '../../src/index.js';
import { type Context, command } from '../kit/command.js';
import { connect } from '../kit/connection.js';
import { openRoot } from '../kit/root.js';
import { type RunReport, reportRun } from '../kit/run-report.js';
import { snapshotLine } from '../kit/snapshot-line.js';
import { unavailableLine, unavailableLists } from '../kit/unavailable.js';
import { duckdbLoader } from './duckdb/loader.js';
import { loadDays } from './load-days.js';
import type { Loader } from './loader.js';
import { postgresAddress } from './postgres/address.js';
import { postgresLoader } from './postgres/loader.js';
import { writeScript } from './scripts/write.js';
import { checkTogether, type LoadSettings, loadSettings, rangeOf, stagingOf, targets } from './settings.js';
import { extract } from './source/extraction.js';
import { chooseSnapshot, explainChange, type SnapshotSource } from './source/snapshot-source.js';

/** Brings a snapshot into a warehouse, from the API or from a dump. */
export const load = command({
  positionals: [{ key: 'target', choices: targets, describe: 'The warehouse.' }],
  settings: loadSettings,
  isWithoutKey: ({ from }) => from !== undefined,
  async run(settings, context) {
    checkTogether(settings);
    if (settings.target === 'sql') return await writeScript(settings, context);
    const location = settings.from ?? settings.baseUrl;
    return await reportRun({ command: 'load', location, settings, context }, (report) =>
      loadInto(settings, context, report),
    );
  },
});

async function loadInto(settings: LoadSettings, context: Context, report: RunReport): Promise<number> {
  const { environment, signal, stdout } = context;
  const loader = await loaderOf(settings, context);
  await loader.check();
  const range = rangeOf(settings);
  if (range) return await loadDays({ range, settings, loader, context, report });
  return await withScratch(stagingOf(settings, environment), async (scratch) => {
    const source = await sourceOf(settings, context, { scratch, report });
    signal.throwIfAborted();
    const notes = await explainChange(source, () => loader.load({ source, scratch }));
    report.took(source.manifest);
    stdout.write(`${summary(source, loader, notes)}\n`);
    return source.manifest.status === 'incomplete' ? 1 : 0;
  });
}

async function loaderOf(settings: LoadSettings, { environment, signal }: Context): Promise<Loader> {
  const { target, database = 'compliance.duckdb', schema, url, urlFile } = settings;
  if (target === 'duckdb') return duckdbLoader({ database, schema: schema ?? 'main', signal });
  const address = await postgresAddress({ url, urlFile, environment });
  return postgresLoader({ address, schema: schema ?? 'claude_compliance', signal });
}

async function sourceOf(
  settings: LoadSettings,
  context: Context,
  { scratch, report: { progress, onEvent } }: { scratch: string; report: RunReport },
): Promise<SnapshotSource> {
  const { from, runDate, backDated, streams, org, concurrency, allowIncomplete } = settings;
  if (from !== undefined) {
    const storage = await openRoot({ ...settings, out: from });
    return await chooseSnapshot({ storage, runDate: runDate ?? 'latest', streams, allowIncomplete });
  }
  try {
    await using client: ComplianceClient = connect(keyed(settings), context, { onEvent });
    return await extract({
      client,
      streams,
      concurrency,
      onOrgFailure: allowIncomplete ? 'continue' : 'stop',
      ...(org !== undefined && { org }),
      runDate,
      backDated,
      scratch,
      signal: context.signal,
      onEvent,
    });
  } finally {
    progress.close();
  }
}

/** `checkTogether` has seen the key. */
const keyed = (settings: LoadSettings) => ({ ...settings, apiKey: settings.apiKey ?? '' });

function summary({ manifest }: SnapshotSource, { target }: Loader, notes: readonly string[]): string {
  const { status } = manifest;
  const more = [...unavailableLists(manifest).map(unavailableLine), ...notes];
  const lines = [snapshotLine(manifest), `  in ${target}`, ...more.map((line) => `  ${line}`)];
  if (status !== 'complete') lines.push(`  it is ${status}: the views on the current snapshot leave it out`);
  return lines.join('\n');
}
