import { join } from 'node:path';
import { z } from 'zod';
import { LocalStorage, type Manifest, snapshot, snapshotSettings, type Target } from '../../../src/index.js';
import { command } from '../command.js';
import { connect, connectionSettings } from '../connection.js';
import { formatSettings, sinksOf } from '../formats.js';
import { openProgress, progressSettings } from '../progress.js';
import { summary } from '../summary.js';
import { dryRun } from './dump-dry-run.js';
import { dumpToStdout } from './dump-to-stdout.js';

const settings = connectionSettings.extend({
  ...snapshotSettings.shape,
  ...formatSettings.shape,
  ...progressSettings.shape,
  out: z
    .string()
    .min(1)
    .default('./out')
    .describe('The folder that gets the files, or - to stream one table as ndjson or csv to stdout.'),
  fileMode: z
    .string()
    .regex(/^0?[0-7]{3}$/, 'must be an octal mode such as 640')
    .default('600')
    .describe('Mode of the files; folders get x where the files have r. This is personal data.'),
  dryRun: z
    .boolean()
    .default(false)
    .describe('List the organisations, tell what a dump would cost, write nothing.'),
  json: z.boolean().default(false).describe('Print the manifest instead of the summary.'),
});
export type DumpSettings = z.output<typeof settings>;

/** Takes the snapshot. */
export const dump = command({
  name: 'dump',
  summary: 'Takes a snapshot of the organisations and their users, as partitioned files.',
  settings,
  async run(settings, surroundings) {
    const progress = openProgress(settings.progress, surroundings);
    await using client = connect(settings, surroundings, progress.onEvent);
    if (settings.dryRun) return await dryRun(client, settings, surroundings);
    if (settings.out === '-') return await dumpToStdout(client, settings, surroundings);
    try {
      const [first, ...alsoTo] = targetsOf(settings);
      const manifests = await snapshot({
        ...settings,
        ...(first as Target),
        alsoTo,
        state: join(settings.out, '_staging'),
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
function targetsOf(settings: DumpSettings): Target[] {
  const fileMode = Number.parseInt(settings.fileMode, 8);
  const sinks = sinksOf(settings);
  return sinks.map((sink) => ({
    sink,
    storage: new LocalStorage(sinks.length === 1 ? settings.out : join(settings.out, sink.format), {
      fileMode,
    }),
  }));
}

/** As it is kept in the manifest: how the snapshot was made, without what only steers a process. */
function configurationOf({
  apiKey: _key,
  apiKeyFile: _file,
  progress: _progress,
  json: _json,
  ...rest
}: DumpSettings) {
  return rest;
}
