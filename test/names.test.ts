import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import manifest from '../package.json' with { type: 'json' };

const ROOT = join(import.meta.dirname, '..');

/** The word that npm takes for the name of a package: `npx NAME`, `npx -p NAME@VERSION`, `npm exec NAME`. */
const FETCHED = /\b(?:npx|npm exec|npm x|npm create|npm init)((?:[ ]+-\S*)*)[ ]+([\w@][^\s'"`,;)\]]*)/g;

it('no document and no file runs a package of another name: npx would fetch it from whoever took that name', () => {
  const files = execFileSync('git', ['grep', '-lIE', 'npx|npm (exec|x|create|init)', '--', '.', ':!test'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const names = files
    .trim()
    .split('\n')
    .flatMap((file) => [...readFileSync(join(ROOT, file), 'utf8').matchAll(FETCHED)])
    .map(([, , word = '']) => word.replace(/(?<=.)@.*$/, ''));
  expect(names.length).toBeGreaterThan(20);
  expect([...new Set(names)]).toEqual([manifest.name]);
  // npx runs the command that is named like the package.
  expect(Object.keys(manifest.bin)).toContain(manifest.name);
});
