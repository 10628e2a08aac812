import { dataName } from './options.js';

/** How much an event matters. */
export type Level = 'info' | 'warn' | 'error';

/** What every event of `--progress json` has; the rest is its own. */
export interface EventFields {
  level: Level;
  type: string;
  /** A sentence without personal data. */
  message: string;
  /** Once it is known. */
  runId?: string | undefined;
  [field: string]: unknown;
}

/** An event as a line of JSON, with keys in snake_case and `at` first: RFC 3339, UTC, with milliseconds. */
export function eventLine({ level, type, message, runId, ...more }: EventFields): string {
  const at = new Date().toISOString();
  const own = Object.entries(more).map(([key, value]) => [dataName(key), value]);
  const known = { at, level, type, ...(runId !== undefined && { run_id: runId }), message };
  return `${JSON.stringify({ ...known, ...Object.fromEntries(own) })}\n`;
}
