import { z } from 'zod';
import { type ReportData, reportData } from '../../../src/index.js';
import { command } from '../../kit/command.js';
import { count, counted } from '../../kit/counts.js';
import { checkAbsent, writeOutputFile } from '../../kit/output-file.js';
import { pseudonymSettings, pseudonymsOf } from '../../kit/pseudonyms.js';
import { openRoot, publishedSettings, rootSettings } from '../../kit/root.js';
import { pageScripts } from '../../report/assets.js';
import { reportPage } from '../../report/report-page.js';
import { rowOutputSettings, scratchOf } from '../row-output.js';

const { overwrite, fileMode, state } = rowOutputSettings.shape;

/** A page to look at: who has access, what changed, and what was not read. */
export const report = command({
  settings: z.object({
    ...publishedSettings.shape,
    output: z.string().min(1).describe('The HTML file to write.'),
    runDate: z.iso.date().optional().describe('The day of the report. Default: the newest.'),
    since: z.iso
      .date()
      .optional()
      .describe('The first day to look back on. Default: the first one published.'),
    ...pseudonymSettings.shape,
    overwrite,
    fileMode,
    state,
    ...rootSettings.shape,
  }),
  async run(settings, context) {
    const { output: path, runDate, since } = settings;
    const mode = Number.parseInt(settings.fileMode, 8);
    const file = { path, flag: '--output', mode, overwrite: settings.overwrite };
    const pseudonyms = pseudonymsOf(settings);
    await checkAbsent(file);
    const scripts = await pageScripts();
    const storage = await openRoot(settings);
    const places = { scratch: scratchOf(settings, context), signal: context.signal };
    const data = await reportData({ storage, runDate, since, pseudonyms, ...places });
    const size = await writeOutputFile(bytesOf(reportPage(data, scripts)), file);
    context.stdout.write(`${[...summaryOf(data), `  in ${path}: ${count(size)} bytes`].join('\n')}\n`);
    return 0;
  },
});

async function* bytesOf(page: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(page);
}

function summaryOf({ runDate, status, people, organizations, days, gaps }: ReportData): string[] {
  const inPlaces = counted(organizations.length, 'organisation');
  const published = days.filter((day) => day.status !== 'no_snapshot').length;
  return [
    `report of ${runDate} (${status}): ${count(people)} people in ${inPlaces}, ${counted(published, 'day')} since ${days[0]?.date}`,
    ...(gaps.total > 0 ? [`  not read: ${counted(gaps.total, 'gap')}, which the page lists`] : []),
  ];
}
