import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import manifest from '../package.json' with { type: 'json' };

const ROOT = join(import.meta.dirname, '..');
/** Where commands are shown or run, besides the files directly in the root. */
const FOLDERS = ['.ci', 'bench', 'connectors', 'docs', 'fixtures', 'src'];

/** The word that npm takes for the name of a package: `npx NAME`, `npx -p NAME@VERSION`, `npm exec NAME`. */
const FETCHED = /\b(?:npx|npm exec|npm x|npm create|npm init)((?: +-\S*)*) +([\w@][^\s'"`,;)\]]*)/g;

it('no document and no file runs a package of another name: npx would fetch it from whoever took that name', () => {
  const inRoot = readdirSync(ROOT, { withFileTypes: true }).filter((entry) => entry.isFile());
  const below = FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    ),
  );
  const names = [...inRoot, ...below]
    .filter(({ parentPath }) => !parentPath.startsWith(join(ROOT, 'docs/api')))
    .flatMap(({ parentPath, name }) => [...readFileSync(join(parentPath, name), 'utf8').matchAll(FETCHED)])
    .map(([, , word = '']) => word.replace(/(?<=.)@.*$/, ''));
  expect(names.length).toBeGreaterThan(20);
  expect([...new Set(names)]).toEqual([manifest.name]);
  // npx runs the command that is named like the package.
  expect(Object.keys(manifest.bin)).toContain(manifest.name);
});
