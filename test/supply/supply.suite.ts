import { spawnSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
/** Where the list of the last run is, for whoever asks for it. */
const SBOM = join(ROOT, '.cache/sbom.cdx.json');

/** Licences that let this package be used and passed on, also in a product that is not open. */
const LICENCES = [
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'ISC',
  'MIT',
  'Unlicense',
];

interface Component {
  name: string;
  version: string;
  licenses?: { license?: { id?: string; name?: string }; expression?: string }[];
}

/** An installation as a user has it. From a checkout, `npm sbom --omit=dev` leaves out what a development tool needs, too (npm 11). */
let folder = '';
const npm = (...args: string[]) =>
  spawnSync('npm', args, { cwd: folder, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });

function succeed(...args: string[]): string {
  const { status, stdout, stderr } = npm(...args);
  if (status !== 0) throw new Error(`npm ${args.join(' ')} ended with ${status}: ${stderr}`);
  return stdout;
}

let components: Component[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'supply-'));
  for (const name of ['package.json', 'package-lock.json'])
    await copyFile(join(ROOT, name), join(folder, name));
  succeed('ci', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline');
  const { devDependencies: _, ...manifest } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
  const text = succeed('sbom', '--sbom-format=cyclonedx');
  const sbom = JSON.parse(text);
  expect(sbom).toMatchObject({ bomFormat: 'CycloneDX', specVersion: expect.stringMatching(/^1\.\d$/) });
  ({ components } = sbom);
  await mkdir(join(ROOT, '.cache'), { recursive: true });
  await writeFile(SBOM, text);
});
afterAll(() => rm(folder, { recursive: true }));

it('the list of parts (CycloneDX) has every package that is installed for a user, as the lock file pins it', async () => {
  const { packages } = JSON.parse(await readFile(join(folder, 'node_modules/.package-lock.json'), 'utf8'));
  const installed = Object.entries<{ version: string }>(packages).map(
    ([path, { version }]) => `${path.replace(/^.*node_modules\//, '')} ${version}`,
  );
  expect(installed.length).toBeGreaterThan(30);
  expect(new Set(components.map(({ name, version }) => `${name} ${version}`))).toEqual(new Set(installed));
});

it('every part has a licence that allows its use', () => {
  const refused = components.filter(({ licenses = [] }) => {
    const choices = licenses.flatMap(({ license, expression }) =>
      (expression ?? license?.id ?? license?.name ?? '').replace(/[()]/g, '').split(' OR '),
    );
    return !choices.some((choice) => LICENCES.includes(choice));
  });
  expect(refused.map(({ name, licenses }) => [name, licenses])).toEqual([]);
});

it('no part has a known vulnerability that is high or critical', (context) => {
  let last = '';
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const { stdout } = npm('audit', '--json');
    const report = stdout.trim() === '' ? {} : JSON.parse(stdout);
    if (report.metadata) {
      const { high, critical } = report.metadata.vulnerabilities;
      expect({ high, critical }, stdout).toEqual({ high: 0, critical: 0 });
      return;
    }
    last = `${report.message ?? report.error?.summary ?? 'no answer'}`.split('\n')[0] ?? '';
  }
  process.stdout.write(`\nnot run: npm audit: the registry does not answer it (tried twice): ${last}\n`);
  context.skip();
});
