import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { streams } from '../src/index.js';
import { ROOT } from './source-files.js';

const text = await readFile(join(ROOT, 'docs/access.md'), 'utf8');

/** The rows of the table whose first column has this head. */
function tableOf(head: string): string[][] {
  const [, table = ''] = text.split(`\n| ${head} |`);
  return table
    .split('\n\n', 1)[0]
    ?.split('\n')
    .slice(2)
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    ) as string[][];
}

describe('docs/access.md', () => {
  it('names every stream, in the order in which it is read, with its scope', () => {
    expect(tableOf('stream').map(([name, , scope]) => [name, scope])).toEqual(
      streams.map(({ name, scope }) => [`\`${name}\``, `\`${scope}\``]),
    );
  });

  it('names every column that a stream serves, and which of them every row has', () => {
    const described = tableOf('table');
    expect(described.length).toBeGreaterThan(5);
    for (const [name, columns] of described) {
      const { fields } = streams.find((stream) => `\`${stream.name}\`` === name)?.schema ?? { fields: [] };
      const own = fields.filter((field) => !['snapshot_date', 'extra'].includes(field.name));
      expect(columns, name).toBe(
        own.map((field) => `\`${field.name}\`${field.nullable ? '' : '\\*'}`).join(', '),
      );
    }
  });
});
