import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { populationSchema, reviewFindingKinds } from '../src/index.js';
import { exceptionKinds } from '../src/review/schema.js';
import { ROOT } from './source-files.js';

const text = await readFile(join(ROOT, 'docs/review.md'), 'utf8');

/** The names in the first column of the table with this head. */
function namesIn(head: string): string[] {
  const [, table = ''] = text.split(`\n| ${head} | |\n`);
  const lines = table.split('\n\n', 1)[0]?.split('\n').slice(1) ?? [];
  return lines.flatMap((line) =>
    [...(line.split('|')[1] ?? '').matchAll(/`([\w.]+)`/g)].map(([, name]) => `${name}`),
  );
}

describe('docs/review.md', () => {
  it('names every column of the population, in its order', () => {
    expect(namesIn('column')).toEqual(populationSchema.fields.map(({ name }) => name));
  });
  it('names every kind of exception', () => {
    expect(namesIn('kind')).toEqual([...exceptionKinds]);
  });
  it('names every kind of finding', () => {
    expect(namesIn('finding')).toEqual(Object.keys(reviewFindingKinds));
  });
  it('names every file of a pack', () => {
    expect(namesIn('file').sort()).toEqual([
      'changes.csv',
      'evidence.html',
      'evidence.json',
      'exceptions.csv',
      'population.csv',
      'population.xlsx',
    ]);
  });
});
