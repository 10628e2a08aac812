import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { invariants } from './invariants.js';

const DOCUMENT = join(import.meta.dirname, '../../docs/architecture.md');

it('the invariants that are checked are those that the document lists, by the same names', async () => {
  const text = await readFile(DOCUMENT, 'utf8');
  const [, section = ''] = /\n?## Invariants\n([\s\S]*?)(?=\n## |$)/.exec(text) ?? [];
  const names = [...section.matchAll(/^\* \*\*(.+?)\*\*/gm)].map(([, name]) => name);
  expect(names.length).toBeGreaterThan(10);
  expect(Object.keys(invariants).sort()).toEqual(names.sort());
  for (const invariant of Object.values(invariants)) expect(Object.keys(invariant)).not.toEqual([]);
});
