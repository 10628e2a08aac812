import { z } from 'zod';
import { ConfigError, clientSettings, snapshotSettings } from '../../src/index.js';
import { connectionSettings } from '../cli/connection.js';
import { flagName } from '../cli/options.js';
import { progressSettings } from '../cli/progress.js';
import { rootSettings } from '../cli/root.js';
import { dialectNames } from './dialects/index.js';

/** Where a snapshot can be loaded. */
export const targets = ['duckdb', 'postgres', 'sql'] as const;

const { streams, org, concurrency } = snapshotSettings.shape;

/** The flags of `load`. */
export const loadSettings = connectionSettings.extend({
  ...progressSettings.shape,
  ...rootSettings.shape,
  apiKey: clientSettings.shape.apiKey.optional(),
  target: z.enum(targets),
  from: z
    .string()
    .min(1)
    .optional()
    .describe(
      'The root of a dump, a folder or a bucket, to load a snapshot of. Default: one is taken from the API for this load, and gone afterwards.',
    ),
  runDate: z
    .union([z.literal('latest'), z.iso.date()])
    .optional()
    .describe(
      'Which snapshot of --from: a date, or latest (the default), the newest complete one. From the API: the day it is filed under.',
    ),
  allowIncomplete: z
    .boolean()
    .default(false)
    .describe(
      'Load a snapshot in which organisations are missing, too; the views on the current one pass it over.',
    ),
  streams,
  org,
  concurrency,
  state: z
    .string()
    .optional()
    .describe("Where a load keeps files while it lasts. Default: the user's state folder."),
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
  urlFile: z.string().optional().describe('postgres: a file that holds the URL, password and all.'),
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
 * What one flag alone cannot tell.
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
    mistakes.push('--org chooses what is read from the API, and --from says that nothing is');
  }
  if (settings.target === 'sql' && settings.from === undefined) {
    mistakes.push('load sql needs --from: its script loads files that stay where they are');
  }
  if (settings.target === 'sql' && settings.dialect === undefined) {
    mistakes.push(`load sql needs --dialect: ${dialectNames.join(', ')}`);
  }
  if (settings.from === undefined && settings.runDate === 'latest') {
    mistakes.push('--run-date latest needs --from');
  }
  if (settings.from === undefined && settings.apiKey === undefined) {
    mistakes.push(
      'the key is missing: set ANTHROPIC_COMPLIANCE_ACCESS_KEY, give --api-key-file, or load --from a dump',
    );
  }
  if (mistakes.length > 0) throw new ConfigError(`${mistakes.join('; ')}.`, { code: 'usage' });
}
