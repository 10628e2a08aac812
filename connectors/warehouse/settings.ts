import { join } from 'node:path';
import { z } from 'zod';
import { ConfigError, clientSettings, STAGING, snapshotSettings } from '../../src/index.js';
import { connectionSettings } from '../kit/connection.js';
import { finishSettings } from '../kit/finish-settings.js';
import { flagName } from '../kit/options.js';
import { progressSettings } from '../kit/progress.js';
import { rootSettings, userState } from '../kit/root.js';
import { dialectNames } from './scripts/index.js';

/** Where a snapshot can be loaded. */
export const targets = ['duckdb', 'postgres', 'sql'] as const;

const { streams, org, concurrency, backDated } = snapshotSettings.shape;

/** Several run dates: both ends are included. */
export interface DateRange {
  first: string;
  last: string;
}

/** The run dates of `--run-date FROM..TO` or `--all`; undefined: one snapshot is loaded. */
export function rangeOf({ all, runDate = '' }: Pick<LoadSettings, 'all' | 'runDate'>): DateRange | undefined {
  if (all) return { first: '0000-01-01', last: '9999-12-31' };
  const [first = '', last] = runDate.split('..');
  return last === undefined ? undefined : { first, last };
}

function isRunDates(text: string): boolean {
  const isDate = (date: string) => z.iso.date().safeParse(date).success;
  const dates = text.split('..');
  return text === 'latest' || (dates.length <= 2 && dates.every(isDate));
}

/** The flags of `load`. */
export const loadSettings = connectionSettings.extend({
  ...progressSettings.shape,
  ...finishSettings.shape,
  ...rootSettings.shape,
  apiKey: clientSettings.shape.apiKey.optional(),
  target: z.enum(targets),
  from: z
    .string()
    .min(1)
    .optional()
    .describe(
      'The root of a dump, a folder or a bucket. Default: a snapshot is taken from the API for this load alone, and removed afterwards.',
    ),
  runDate: z
    .string()
    .refine(
      isRunDates,
      'must be latest, a day of the calendar such as 2026-11-23, or two of them: 2026-01-01..2026-11-23',
    )
    .optional()
    .describe(
      'Which snapshot of --from: a date, or latest (the default), the newest that holds --streams completely; or all of FROM..TO. From the API: the day it is filed under.',
    ),
  all: z
    .boolean()
    .default(false)
    .describe('Load every snapshot of --from. Of several, those are skipped that were loaded unchanged.'),
  backDated,
  allowIncomplete: z
    .boolean()
    .default(false)
    .describe(
      'Load an incomplete snapshot too, in which lists are missing; the views on the current one leave it out.',
    ),
  streams: streams.describe(
    'What to read from the API; with --from, what latest must hold. A snapshot is always loaded completely.',
  ),
  org,
  concurrency,
  state: z
    .string()
    .min(1)
    .optional()
    .describe(
      "A local folder for the files of a load while it runs, in _staging. Default: the user's state folder.",
    ),
  schema: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_.-]*$/, 'must be letters, digits, _, . or -')
    .max(63)
    .optional()
    .describe('Of the tables. Default: main in DuckDB, claude_compliance elsewhere.'),
  database: z.string().min(1).optional().describe('duckdb: the file. Default: compliance.duckdb.'),
  url: z
    .string()
    .optional()
    .describe(
      'postgres: postgresql://user@host/database, without its password. Default: DATABASE_URL, or the PG* variables.',
    ),
  urlFile: z.string().optional().describe('postgres: a file that holds the URL, with its password.'),
  dialect: z.enum(dialectNames).optional().describe('sql: for which warehouse.'),
  script: z.string().optional().describe('sql: the file to write. Default: stdout.'),
  location: z
    .string()
    .regex(/^[A-Za-z0-9@:/._=~%-]+$/, 'must be an address such as s3://bucket/prefix')
    .optional()
    .describe(
      'sql: where the warehouse finds the root: s3://bucket/prefix, or @stage/prefix for Snowflake. Default: --from.',
    ),
});
export type LoadSettings = z.output<typeof loadSettings>;

/** Where the files of a load are while it runs. */
export const stagingOf = ({ state }: Pick<LoadSettings, 'state'>, environment: NodeJS.ProcessEnv): string =>
  join(state ?? userState(environment), STAGING);

/** The flags that only one target has, or only loads from the API. */
const OWNERS: Partial<Record<keyof LoadSettings, readonly (typeof targets)[number][]>> = {
  database: ['duckdb'],
  url: ['postgres'],
  urlFile: ['postgres'],
  dialect: ['sql'],
  script: ['sql'],
  location: ['sql'],
};

/**
 * Checks the flags that depend on each other.
 * @throws ConfigError `usage`
 */
export function checkTogether(settings: LoadSettings): void {
  const mistakes = Object.entries(OWNERS)
    .filter(
      ([key, owners]) =>
        settings[key as keyof LoadSettings] !== undefined && !owners.includes(settings.target),
    )
    .map(([key, owners]) => `--${flagName(key)} is for load ${owners.join(', ')}`);
  if (settings.from !== undefined && settings.org !== undefined) {
    mistakes.push('--org chooses what is read from the API, and with --from nothing is');
  }
  if (settings.target === 'sql' && settings.from === undefined) {
    mistakes.push('load sql needs --from: its script loads the files of a dump');
  }
  if (settings.target === 'sql' && settings.dialect === undefined) {
    mistakes.push(`load sql needs --dialect: ${dialectNames.join(', ')}`);
  }
  const range = rangeOf(settings);
  const name = settings.all ? '--all' : `--run-date ${settings.runDate}`;
  if (settings.from === undefined && (range || settings.runDate === 'latest')) {
    mistakes.push(`${name} needs --from`);
  }
  if (settings.all && settings.runDate !== undefined) mistakes.push('--all leaves nothing to --run-date');
  if (range && range.first > range.last) mistakes.push(`${name} ends before it begins`);
  if (range && settings.target === 'sql') {
    mistakes.push(`load sql writes the script of one snapshot: give one --run-date, not ${name}`);
  }
  if (settings.from === undefined && settings.apiKey === undefined) {
    mistakes.push(
      'the key is missing: set ANTHROPIC_COMPLIANCE_ACCESS_KEY, give --api-key-file, or load --from a dump',
    );
  }
  if (mistakes.length > 0) throw new ConfigError(`${mistakes.join('; ')}.`, { code: 'usage' });
}
