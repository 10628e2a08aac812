import { z } from 'zod';
import {
  type Erasure,
  type Finding,
  formatLogHead,
  parseLogHead,
  type Verification,
  verify as verifyRoot,
} from '../../../src/index.js';
import { command } from '../../kit/command.js';
import { counted } from '../../kit/counts.js';
import { asData } from '../../kit/options.js';
import { printable } from '../../kit/printable.js';
import { fileModeSettings, openRoot, publishedSettings, rootSettings } from '../../kit/root.js';
import { headLine, statusText } from '../summary.js';

/** Evidence is worth what can be shown of it. */
export const verify = command({
  settings: rootSettings.extend({
    ...publishedSettings.shape,
    runDate: z.iso.date().optional().describe('The snapshot whose files are read. Default: the newest.'),
    all: z.boolean().default(false).describe('Read the files of every snapshot.'),
    expect: z
      .string()
      .optional()
      .describe('A log head that was printed before: reports a log that was cut or rewritten since.'),
    fileMode: fileModeSettings.shape.fileMode.describe(
      'The widest mode that files may have, as dump wrote them.',
    ),
    json: z.boolean().default(false).describe('Print the result as JSON.'),
  }),
  async run({ runDate, all, expect, json, ...root }, { stdout }) {
    const head = expect === undefined ? undefined : parseLogHead(expect);
    const result = await verifyRoot({ storage: await openRoot(root), runDate, all, expect: head });
    stdout.write(json ? jsonOf(result) : report(result));
    return result.findings.length === 0 ? 0 : 1;
  },
});

function jsonOf({ head, ...result }: Verification): string {
  const data = asData(result) as object;
  return `${JSON.stringify({ log_head: formatLogHead(head), ...data })}\n`;
}

/** Damage comes first: nobody should have to look for it. */
function report({ head, runDates, findings }: Verification): string {
  const found =
    findings.length === 0
      ? []
      : [`DAMAGED: ${counted(findings.length, 'finding')}.`, ...findings.map(findingLine)];
  const dates = runDates.flatMap(({ runId, files, rows, erasures, ...dated }) => [
    `${dated.runDate}: ${statusText(dated)}, run ${runId}, ${counted(files, 'file')}, ${counted(rows, 'row')}`,
    ...erasureLines(erasures),
  ]);
  const entries = counted(head.entries, 'entry', 'entries');
  const sound = `OK: every file matches its manifest; log chain intact (${entries}).`;
  const lines = [...found, ...dates, ...(findings.length === 0 ? [sound] : []), headLine(head)];
  return `${lines.map((line) => printable(line, Number.POSITIVE_INFINITY)).join('\n')}\n`;
}

/** One line for each day on which somebody was erased. */
function erasureLines(erasures: readonly Erasure[]): string[] {
  const days = [...new Set(erasures.map(({ erased_at }) => erased_at.slice(0, 10)))];
  return days.map((day) => {
    const ofDay = erasures.filter(({ erased_at }) => erased_at.startsWith(day));
    const people = new Set(ofDay.map(({ person_sha256 }) => person_sha256)).size;
    const rowsIn = (key: 'removed' | 'replaced') =>
      ofDay.flatMap((erasure) => Object.values(erasure[key])).reduce((sum, rows) => sum + rows, 0);
    const replaced = rowsIn('replaced');
    const changed = replaced > 0 ? `, ${counted(replaced, 'row')} changed` : '';
    const persons = counted(people, 'person', 'people');
    return `  ${counted(rowsIn('removed'), 'row')} of ${persons} erased on ${day}${changed}`;
  });
}

const findingLine = ({ path, problem, detail }: Finding): string => `  ${problem}: ${path}: ${detail}`;
