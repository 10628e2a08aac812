import { type Manifest, snapshot, type Target } from '../../../src/index.js';
import { command } from '../command.js';
import { connect } from '../connection.js';
import { sinksOf } from '../formats.js';
import { dataName } from '../options.js';
import { openProgress } from '../progress.js';
import { openRoot, stateFolder } from '../root.js';
import { summary } from '../summary.js';
import { dryRun } from './dump-dry-run.js';
import { type DumpSettings, dumpSettings } from './dump-settings.js';
import { dumpToStdout } from './dump-to-stdout.js';

/** Takes the snapshot. */
export const dump = command({
  name: 'dump',
  summary: 'Takes a snapshot of the organisations and their users, as partitioned files.',
  settings: dumpSettings,
  async run(settings, surroundings) {
    const progress = openProgress(settings.progress, surroundings);
    try {
      await using client = connect(settings, surroundings, progress.onEvent);
      if (settings.dryRun) return await dryRun(client, settings, surroundings);
      if (settings.out === '-') return await dumpToStdout(client, settings, surroundings);
      const [first, ...alsoTo] = await targetsOf(settings);
      const manifests = await snapshot({
        ...settings,
        ...(first as Target),
        alsoTo,
        state: stateFolder(settings, surroundings.environment),
        client,
        configuration: configurationOf(settings),
        signal: surroundings.signal,
        onEvent: progress.onEvent,
      });
      progress.close();
      const output = settings.json
        ? manifests.map((manifest) => JSON.stringify(manifest))
        : [summary(manifests, settings.out)];
      surroundings.stdout.write(`${output.join('\n')}\n`);
      return manifests.every(({ status }: Manifest) => status === 'complete') ? 0 : 1;
    } finally {
      progress.close();
    }
  },
});

/** One format has the root for itself; several have a folder each. */
async function targetsOf(settings: DumpSettings): Promise<Target[]> {
  const sinks = sinksOf(settings);
  const targets: Target[] = [];
  for (const sink of sinks) {
    const storage = await openRoot(settings, sinks.length === 1 ? undefined : sink.format);
    targets.push({ sink, storage });
  }
  return targets;
}

/** What only steers a process, or is told elsewhere. */
const NOT_EVIDENCE = ['apiKey', 'apiKeyFile', 'progress', 'json', 'dryRun', 'state', 'runDate'];

/** As it is kept in the manifest, as data: how the snapshot was made. */
function configurationOf(settings: DumpSettings): Record<string, unknown> {
  const kept = Object.entries(settings).filter(([key]) => !NOT_EVIDENCE.includes(key));
  return Object.fromEntries(kept.map(([key, value]) => [dataName(key), value]));
}
