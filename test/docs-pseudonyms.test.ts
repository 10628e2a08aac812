import { execFile } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { personalColumns } from '../connectors/kit/pseudonyms.js';
import { streams } from '../src/index.js';
import { ROOT } from './source-files.js';

const text = await readFile(join(ROOT, 'docs/pseudonyms.md'), 'utf8');

it('docs/pseudonyms.md names every column that names a person, and every table that has one', () => {
  const tables = streams.filter(({ fields }) => fields.some(({ personal }) => personal));
  const names = [...personalColumns, ...tables.map(({ name }) => name)];
  const [, sentence = ''] = /\* (`email`[\s\S]*?)\./.exec(text) ?? [];
  expect([...sentence.matchAll(/`(\w+)`/g)].map(([, name]) => name).sort()).toEqual(names.sort());
});

it('docs/pseudonyms.md makes a pseudonym as everybody does', async () => {
  const [, line = ''] = /(printf .*)\n/.exec(text) ?? [];
  const key = 'k'.repeat(32);
  const command = line.replace('$(cat pseudonym.key)', key);
  expect(command).not.toBe(line);
  const { stdout } = await promisify(execFile)('sh', ['-c', command]);
  const expected = createHmac('sha256', key).update('email\0ada@example.com').digest('hex');
  expect(stdout.trim().split(' ').at(-1)).toBe(expected);
});
