import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { beginnings, historySchema } from '../src/history/history-row.js';
import { ROOT } from './source-files.js';

it('docs/history.md has every column, and every way in which an interval begins', async () => {
  const text = await readFile(join(ROOT, 'docs/history.md'), 'utf8');
  const names = [...text.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
  expect(names).toEqual([...historySchema.fields.map(({ name }) => name), ...Object.keys(beginnings)]);
});
