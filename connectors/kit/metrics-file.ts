import { readFile } from 'node:fs/promises';
import { writeOutputFile } from './output-file.js';
import type { RunResult } from './run-result.js';

const PREFIX = 'claude_compliance_';
const LAST_SUCCESS = 'last_success_timestamp_seconds';

/** Read by another user, the collector; it has counts and times only. */
const MODE = 0o644;

interface Metric {
  name: string;
  help: string;
  /** Several, where a label distinguishes them. */
  samples: { labels?: Record<string, string>; value: number }[];
}

/**
 * Writes the result for node-exporter's textfile collector; the file appears completely or not at all. When a run failed, the time
 * of the last success is taken from the file that is there.
 * @throws ConfigError, StorageError `file_unwritable`
 */
export async function writeMetrics(path: string, result: RunResult): Promise<void> {
  const before = await readFile(path, 'utf8').catch(() => '');
  const text = metricsText(result, lastSuccess(before, result));
  await writeOutputFile(one(Buffer.from(text)), {
    path,
    flag: '--metrics-file',
    mode: MODE,
    overwrite: true,
  });
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** @param success when the last run ended that succeeded, in seconds since 1970; undefined: not known */
export function metricsText(result: RunResult, success: number | undefined): string {
  const { startedAt, finishedAt, exitCode, rows, requests, bytes } = result;
  const metrics: Metric[] = [
    metric('last_run_timestamp_seconds', 'When the last run ended.', seconds(finishedAt)),
    metric('last_run_exit_code', 'Exit code of the last run.', exitCode),
    {
      name: LAST_SUCCESS,
      help: 'When the last run ended that had exit code 0.',
      samples: success === undefined ? [] : [{ value: success }],
    },
    metric(
      'last_run_duration_seconds',
      'How long the last run took.',
      (finishedAt.getTime() - startedAt.getTime()) / 1000,
    ),
    metric('last_run_requests', 'Pages that the last run read from the API.', requests),
    metric('last_run_bytes', 'Bytes of these pages.', bytes),
    {
      name: 'last_run_rows',
      help: 'Rows of the last run, by table.',
      samples: Object.entries(rows).map(([table, value]) => ({ labels: { table }, value })),
    },
  ];
  return metrics
    .filter(({ samples }) => samples.length > 0)
    .map(({ name, help, samples }) =>
      [
        `# HELP ${PREFIX}${name} ${help}`,
        `# TYPE ${PREFIX}${name} gauge`,
        ...samples.map(({ labels, value }) => `${series(name, result, labels)} ${value}`),
        '',
      ].join('\n'),
    )
    .join('');
}

const metric = (name: string, help: string, value: number): Metric => ({ name, help, samples: [{ value }] });

const seconds = (date: Date): number => date.getTime() / 1000;

/** The labels keep the files of several roots apart: the collector refuses two samples of one series. */
function series(name: string, { command, location }: RunResult, more: Record<string, string> = {}): string {
  const labels = Object.entries({ command, location, ...more }).map(
    ([key, value]) => `${key}="${escaped(value)}"`,
  );
  return `${PREFIX}${name}{${labels.join(',')}}`;
}

const escaped = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

/** Of this run, or of the file that the last one wrote for the same root. */
function lastSuccess(before: string, result: RunResult): number | undefined {
  if (result.exitCode === 0) return seconds(result.finishedAt);
  const start = `${series(LAST_SUCCESS, result)} `;
  const line = before.split('\n').find((line) => line.startsWith(start));
  const value = Number(line?.slice(start.length) || Number.NaN);
  return Number.isFinite(value) ? value : undefined;
}
