import { join } from 'node:path';
import process from 'node:process';
import type { Program } from './program.js';

const SCRIPT = join(import.meta.dirname, 'floor.mjs');

const floor = (name: string, { title, rows }: Pick<Program, 'title' | 'rows'>, args: string[]): Program => ({
  name,
  title,
  rows,
  group: 'floor',
  isIn: () => true,
  prepare: async () => ({ command: async () => ({ argv: [process.execPath, SCRIPT, ...args] }) }),
});

/** What the other figures are divided by. */
export const PARSE_FLOOR = 'floor-parse';

/** The least that reading, and that reading and writing, can cost in Node. */
export const floors: readonly Program[] = [
  floor(
    PARSE_FLOOR,
    { title: 'undici + JSON.parse, nothing written', rows: { reader: 'printed', files: /^stdout$/ } },
    [],
  ),
  floor(
    'floor-write',
    {
      title: 'undici + JSON.parse + JSON.stringify to one file',
      rows: { reader: 'ndjson', files: /\.ndjson$/ },
    },
    ['write'],
  ),
];
