import {
  formatLogHead,
  type LogHead,
  type Manifest,
  marked,
  snapshot,
  type Target,
} from '../../../src/index.js';
import { command } from '../../kit/command.js';
import { connect } from '../../kit/connection.js';
import { dataName } from '../../kit/options.js';
import { settled } from '../../kit/progress.js';
import { pseudonymsOf } from '../../kit/pseudonyms.js';
import { stateFolder } from '../../kit/root.js';
import { reportRun } from '../../kit/run-report.js';
import { type Published, summary } from '../summary.js';
import { dryRun } from './dump-dry-run.js';
import { type DumpSettings, dumpSettings } from './dump-settings.js';
import { targetsOf } from './dump-targets.js';
import { dumpToStdout } from './dump-to-stdout.js';

/** Takes the snapshot. */
export const dump = command({
  settings: dumpSettings,
  async run(settings, context) {
    if (settings.dryRun) return await dryRun(settings, context);
    const { out: location } = settings;
    const run = { command: 'dump', location, settings, context };
    return await reportRun(run, async (report) => {
      const { progress, onEvent, took } = report;
      if (settings.out === '-') return await dumpToStdout(settings, context, onEvent);
      await using client = connect(settings, context, { onEvent });
      const pseudonyms = pseudonymsOf(settings);
      const targets = await targetsOf(settings);
      const [first, ...alsoTo] = targets;
      const heads = new Map<string, LogHead>();
      const manifests = await snapshot({
        ...settings,
        ...(first as Target),
        alsoTo,
        state: stateFolder(settings, context.environment),
        client,
        ...(pseudonyms && { pseudonyms }),
        configuration: configurationOf(settings),
        signal: context.signal,
        onEvent(event) {
          if (event.type === 'published') heads.set(event.location, event.head);
          onEvent(event);
        },
      });
      progress.close();
      took(manifests[0] as Manifest);
      const published: Published[] = manifests.map((manifest, i) => {
        const { location } = (targets[i] as Target).storage;
        return { manifest, location, head: heads.get(location) as LogHead };
      });
      const output = settings.json ? published.map(jsonLine) : [summary(published)];
      context.stdout.write(`${output.join('\n')}\n`);
      return manifests.every(({ status }) => status === 'complete' || status === 'scoped') ? 0 : 1;
    }).catch((error: unknown) => {
      const { stderr, signal } = context;
      if (signal.aborted && location !== '-' && settled(settings.progress, stderr) !== 'json')
        stderr.write('stopped; what was read is kept, run the same command to resume\n');
      throw error;
    });
  },
});

const jsonLine = ({ location, head, manifest }: Published): string =>
  JSON.stringify({ location, log_head: formatLogHead(head), manifest });

/** As it is kept in the manifest, as data: how the snapshot was made. */
function configurationOf(settings: DumpSettings): Record<string, unknown> {
  const noEvidence = marked(dumpSettings, 'isNoEvidence');
  const kept = Object.entries(settings).filter(([key]) => !noEvidence.includes(key));
  return Object.fromEntries(kept.map(([key, value]) => [dataName(key), value]));
}
