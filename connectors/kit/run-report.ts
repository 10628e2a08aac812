import { resolve } from 'node:path';
import process from 'node:process';
import type { z } from 'zod';
import { ComplianceError, isLocalLocation, type Manifest, type OnEvent, VERSION } from '../../src/index.js';
import type { Context } from './command.js';
import { proxyOf } from './connection.js';
import { type EventFields, eventLine } from './event-line.js';
import { pingFinish } from './finish-ping.js';
import type { finishSettings } from './finish-settings.js';
import { writeMetrics } from './metrics-file.js';
import { dataName } from './options.js';
import { openProgress, type Progress, type ProgressKind, settled } from './progress.js';
import type { RunResult } from './run-result.js';
import { hasSecret } from './secrets.js';

/** What a command that reports its run gives and is given. */
export interface RunReport {
  progress: Progress;
  onEvent: OnEvent;
  /** Counts the rows of a snapshot that was published or loaded. */
  took(manifest: Manifest): void;
}

type ReportSettings = z.output<typeof finishSettings> & { progress: ProgressKind };

interface ReportedRun {
  command: string;
  location: string;
  settings: Readonly<Record<string, unknown>> & ReportSettings;
  context: Context;
}

/**
 * Does the work of a command between a first and a last event, each with what a monitor needs.
 * @returns the exit code @throws what the work throws
 */
export async function reportRun(
  { command, location, settings, context }: ReportedRun,
  work: (report: RunReport) => Promise<number>,
): Promise<number> {
  const { stderr, signal } = context;
  const startedAt = new Date();
  const seen = { runId: undefined as string | undefined, runDate: undefined as string | undefined };
  const totals = { rows: {} as Record<string, number>, requests: 0, bytes: 0 };
  const progress = openProgress(settings.progress, context);
  const write = (event: EventFields): void => {
    if (settled(settings.progress, stderr) === 'json') stderr.write(eventLine(event));
  };
  const onEvent: OnEvent = (event) => {
    if (event.type === 'run-started') Object.assign(seen, { runId: event.runId, runDate: event.runDate });
    if (event.type === 'page') {
      totals.requests += 1;
      totals.bytes += event.bytes;
    }
    progress.onEvent(event);
  };
  const took = ({ tables, run_id: runId, run_date: runDate }: Manifest): void => {
    Object.assign(seen, { runId, runDate });
    for (const [name, { rows }] of Object.entries(tables))
      totals.rows[name] = (totals.rows[name] ?? 0) + rows;
  };
  const finish = async (exitCode: number, error?: unknown): Promise<void> => {
    progress.close();
    const status = exitCode === 0 ? 'ok' : error !== undefined && signal.aborted ? 'stopped' : 'failed';
    const errorCode = error === undefined ? null : codeOf(error);
    const { runId = null, runDate = null } = seen;
    const result: RunResult = {
      ...{ command, status, exitCode, errorCode, runDate, runId, location: shown(location) },
      ...{ ...totals, startedAt, finishedAt: new Date() },
    };
    await announce(result, { settings, context });
    write({
      level: exitCode === 0 ? 'info' : status === 'stopped' ? 'warn' : 'error',
      type: 'finished',
      runId: seen.runId,
      message: MESSAGES[status],
      status,
      exitCode,
      errorCode,
      rows: result.rows,
    });
  };
  write({
    level: 'info',
    type: 'started',
    message: `${command} begins.`,
    command,
    version: VERSION,
    node: process.versions.node,
    settings: withoutSecrets(settings),
  });
  let exitCode: number;
  try {
    exitCode = await work({ progress, onEvent, took });
  } catch (error) {
    await finish(error instanceof ComplianceError && !signal.aborted ? error.exitCode : 1, error);
    throw error;
  }
  await finish(exitCode);
  return exitCode;
}

/** Writes the metrics and sends the ping; what fails there is a warning, and changes nothing else. */
async function announce(
  result: RunResult,
  { settings, context }: { settings: ReportSettings; context: Context },
): Promise<void> {
  const { onFinish, metricsFile, progress } = settings;
  const { stderr, environment } = context;
  const warn = (type: string, message: string): void => {
    const isJson = settled(progress, stderr) === 'json';
    const runId = result.runId ?? undefined;
    stderr.write(isJson ? eventLine({ level: 'warn', type, runId, message }) : `warning: ${message}\n`);
  };
  if (metricsFile !== undefined) {
    await writeMetrics(metricsFile, result).catch((error: Error) =>
      warn('metrics-not-written', error.message),
    );
  }
  if (onFinish === undefined) return;
  // Whoever stops a process does not wait long.
  const tries = result.status === 'stopped' ? { tries: 1 } : {};
  const why = await pingFinish(result, { url: onFinish, proxy: proxyOf(environment), ...tries });
  if (why !== undefined) warn('ping-failed', why);
}

const MESSAGES: Record<RunResult['status'], string> = {
  ok: 'All that was asked for is done.',
  failed: 'Not all that was asked for is done.',
  stopped: 'The run was stopped; run the same command again.',
};

const codeOf = (error: unknown): string => (error instanceof ComplianceError ? error.code : 'internal_error');

const withoutSecrets = (settings: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(settings)
      .filter(([key, value]) => value !== undefined && !hasSecret(key))
      .map(([key, value]) => [dataName(key), value]),
  );

/** A root as others may see it: the whole path of a folder, an address without a user. */
const shown = (location: string): string =>
  isLocalLocation(location) ? resolve(location) : location.replace(/\/\/[^/@]*@/, '//');
