import type { Command } from '../../kit/command.js';

/** A command before it is loaded: what the list of commands shows. */
export interface CommandEntry {
  name: string;
  summary: string;
  /** The key of its positional, if it has one. */
  word?: string;
  /** Loads its module, and what that stands on: nothing of it is needed for the help and the version. */
  load(): Promise<Command>;
}

/** A new command is one file and one entry here. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'dump',
    summary: 'Takes a snapshot of the directory, as partitioned files.',
    load: async () => (await import('./dump.js')).dump,
  },
  {
    name: 'check',
    summary: 'Checks the configuration and the key: may it read each stream?',
    load: async () => (await import('./check.js')).check,
  },
  {
    name: 'preview',
    summary: 'Shows the first rows of a stream as a table; nothing is written.',
    word: 'stream',
    load: async () => (await import('./preview.js')).preview,
  },
  {
    name: 'schema',
    summary: 'Prints the fields of a table as JSON Schema, Arrow schema or DDL.',
    word: 'table',
    load: async () => (await import('./schema.js')).schema,
  },
  {
    name: 'access',
    summary: 'Derives who may do what from a published snapshot.',
    load: async () => (await import('./access.js')).access,
  },
  {
    name: 'verify',
    summary: 'Compares the files of a root with its manifests and its log.',
    load: async () => (await import('./verify.js')).verify,
  },
  {
    name: 'compact',
    summary: 'Combines the files of a published day: the same rows, one file a table.',
    load: async () => (await import('./compact.js')).compact,
  },
  {
    name: 'prune',
    summary: 'Removes the files of old snapshots and keeps their manifests.',
    load: async () => (await import('./prune.js')).prune,
  },
  {
    name: 'reidentify',
    summary: 'Finds the person for a pseudonym among given candidates.',
    word: 'column',
    load: async () => (await import('./reidentify.js')).reidentify,
  },
  {
    name: 'load',
    summary: 'Loads a snapshot into a warehouse, or writes the SQL that does.',
    word: 'target',
    load: async () => (await import('../../warehouse/load.js')).load,
  },
];
