import type { Command } from '../../kit/command.js';

/** A command before it is loaded: what the list of commands shows. */
export interface CommandEntry {
  name: string;
  summary: string;
  /** The words that follow its name: `<stream>`, or `[from] [to]` where they may be left out. */
  words?: string;
  /** What a person types after the name of the program; the first one is the most usual. */
  examples: readonly string[];
  /** Loads its module, and what that imports: the help and the version need nothing of it. */
  load(): Promise<Command>;
}

/** A new command is one file and one entry here. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'dump',
    summary: 'Takes a snapshot of the directory, as partitioned files.',
    examples: ['dump --out ./lake', 'dump --out s3://bucket/claude --streams all', 'dump --dry-run'],
    load: async () => (await import('./dump.js')).dump,
  },
  {
    name: 'check',
    summary: 'Checks the configuration and the key: may it read each stream?',
    examples: ['check', 'check --streams all'],
    load: async () => (await import('./check.js')).check,
  },
  {
    name: 'preview',
    summary: 'Shows the first rows of a stream as a table; nothing is written.',
    examples: ['preview users', 'preview roles --rows 50'],
    words: '<stream>',
    load: async () => (await import('./preview.js')).preview,
  },
  {
    name: 'schema',
    summary: 'Prints the fields of a table as JSON Schema, Arrow schema, DDL or a view for DuckDB.',
    examples: ['schema users', 'schema users --as ddl', 'schema --view ./lake > lake.sql'],
    words: '[table]',
    load: async () => (await import('./schema.js')).schema,
  },
  {
    name: 'access',
    summary: 'Derives who may do what from a published snapshot.',
    examples: ['access --out ./all', 'access --out ./all --output access.parquet'],
    load: async () => (await import('./access.js')).access,
  },
  {
    name: 'diff',
    summary: 'Says what changed between two snapshots, and what cannot be known.',
    examples: ['diff --out ./lake', 'diff 2026-11-01 2026-11-23 --out ./lake'],
    words: '[from] [to]',
    load: async () => (await import('./diff.js')).diff,
  },
  {
    name: 'history',
    summary: 'Says what a person or an organisation was, from day to day.',
    examples: ['history --out ./all --user user_01gil'],
    load: async () => (await import('./history.js')).history,
  },
  {
    name: 'review',
    summary: 'Writes the access-review pack for auditors, or checks a filled-in one.',
    examples: ['review --root ./all --out ./review-2026-11', 'review --root ./all --check population.csv'],
    load: async () => (await import('./review.js')).review,
  },
  {
    name: 'snapshots',
    summary: 'Lists what was published: days, counts, and how they changed.',
    examples: ['snapshots --out ./lake'],
    load: async () => (await import('./snapshots.js')).snapshots,
  },
  {
    name: 'report',
    summary: 'Writes a page to look at: who has access, what changed, what was not read.',
    examples: ['report --out ./all --output report.html'],
    load: async () => (await import('./report.js')).report,
  },
  {
    name: 'verify',
    summary: 'Compares the files of a root with its manifests and its log.',
    examples: ['verify --out ./lake', 'verify --out ./lake --all'],
    load: async () => (await import('./verify.js')).verify,
  },
  {
    name: 'compact',
    summary: 'Combines the files of a published day: the same rows, one file a table.',
    examples: ['compact --out ./lake --run-date 2026-11-23'],
    load: async () => (await import('./compact.js')).compact,
  },
  {
    name: 'prune',
    summary: 'Removes the files of old snapshots and keeps their manifests.',
    examples: ['prune --out ./lake --keep-daily 30 --dry-run'],
    load: async () => (await import('./prune.js')).prune,
  },
  {
    name: 'erase',
    summary: 'Erases one person from every snapshot, and says so in each.',
    examples: ['erase --out ./lake --user user_01gil --reason G1 --dry-run'],
    load: async () => (await import('./erase.js')).erase,
  },
  {
    name: 'reidentify',
    summary: 'Finds the person for a pseudonym among given candidates.',
    examples: ['reidentify email --pseudonym 1443… --candidates people.txt'],
    words: '<column>',
    load: async () => (await import('./reidentify.js')).reidentify,
  },
  {
    name: 'load',
    summary: 'Loads a snapshot into a warehouse, or writes the SQL that does.',
    examples: ['load duckdb --from ./lake --database lake.duckdb'],
    words: '<target>',
    load: async () => (await import('../../warehouse/load.js')).load,
  },
  {
    name: 'demo',
    summary: 'Shows all of it in half a minute, on an API of made-up people.',
    examples: ['demo', 'demo --out ./demo'],
    load: async () => (await import('../../demo/demo.js')).demo,
  },
];
