import { z } from 'zod';
import { verify as verifyRoot } from '../../../src/index.js';
import { command } from '../command.js';
import { asData } from '../options.js';
import { openRoot, publishedSettings, rootSettings } from '../root.js';

/** Reads again what lies in a root: evidence is worth what can be shown of it. */
export const verify = command({
  name: 'verify',
  summary: 'Compares what lies in a folder with its manifests and its log.',
  settings: rootSettings.extend({
    ...publishedSettings.shape,
    runDate: z.iso.date().optional().describe('The snapshot to verify. Default: the newest.'),
    all: z.boolean().default(false).describe('Verify every run date.'),
    json: z.boolean().default(false).describe('Print the result as JSON.'),
  }),
  async run({ runDate, all, json, ...root }, { stdout }) {
    const result = await verifyRoot({ storage: await openRoot(root), runDate, all });
    const isSound = result.findings.length === 0;
    if (json) {
      stdout.write(`${JSON.stringify(asData(result))}\n`);
      return isSound ? 0 : 1;
    }
    for (const { runDate, runId, status, files, rows } of result.runDates) {
      stdout.write(`${runDate}: ${status}, run ${runId}, ${files} files, ${rows} rows\n`);
    }
    for (const { path, problem, detail } of result.findings)
      stdout.write(`  ${problem}: ${path}: ${detail}\n`);
    stdout.write(
      isSound
        ? `All is as it was published; the log has ${result.logEntries} entries, none broken.\n`
        : `${result.findings.length} findings: what lies there is not what was published.\n`,
    );
    return isSound ? 0 : 1;
  },
});
