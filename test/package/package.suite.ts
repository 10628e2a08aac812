import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VERSION } from '../../src/index.js';

const ROOT = resolve(import.meta.dirname, '../..');
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');

/** What pages for those who change the connector link to. */
const ONLY_IN_THE_REPOSITORY = /^(src|test|bench|fixtures|\.ci|Dockerfile)\b/;

let folder = '';
/** A checkout as git would give it, with the development tools of this one. */
let checkout = '';
/** The packed package. */
let tarball = '';
let packed: string[] = [];

/** Runs a program; when it fails, what it printed is in the error. */
function run(cwd: string, command: string, ...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status === 0) return stdout;
  throw new Error(`${command} ${args.join(' ')} ended with ${status}: ${error ?? ''}${stdout}${stderr}`);
}
const npm = (cwd: string, ...args: string[]): string =>
  run(cwd, 'npm', ...args, '--no-audit', '--no-fund', '--prefer-offline');

/** Copies what git tracks, and what it would track if all of it were added. */
async function copyCheckout(to: string): Promise<void> {
  const listed = run(ROOT, 'git', 'ls-files', '--cached', '--others', '--exclude-standard', '-z').split('\0');
  for (const path of listed.filter((path) => path !== '' && existsSync(join(ROOT, path)))) {
    await mkdir(dirname(join(to, path)), { recursive: true });
    await copyFile(join(ROOT, path), join(to, path));
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'package-'));
  checkout = join(folder, 'checkout');
  await copyCheckout(checkout);
  npm(checkout, 'ci', '--ignore-scripts'); // packing compiles
  const [report] = JSON.parse(npm(checkout, 'pack', '--json', '--pack-destination', folder));
  tarball = join(folder, report.filename);
  packed = report.files.map(({ path }: { path: string }) => path);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the packed package', () => {
  it('holds what its users need, and nothing that only its makers need', () => {
    const needed = [
      'package.json',
      'README.md',
      'LICENSE',
      'CHANGELOG.md',
      'SECURITY.md',
      'dist/src/index.js',
      'dist/src/index.d.ts',
      'dist/connectors/cli/main.js',
      'dist/connectors/airbyte/main.js',
    ];
    // The README is there when it is written.
    expect(needed.filter((path) => !packed.includes(path) && existsSync(join(ROOT, path)))).toEqual([]);
    expect(packed.filter((path) => !/^(dist|docs)\/|^connectors\/|^[A-Za-z.]+$/.test(path))).toEqual([]);
    expect(packed.filter((path) => /^connectors\/.*\.ts$/.test(path))).toEqual([]);
    expect(
      packed.filter((path) => /(^|\/)(test|bench|node_modules)\/|^fixtures\/|\.test\./.test(path)),
    ).toEqual([]);
    expect(packed.filter((path) => /^docs\/api\//.test(path))).toEqual([]);
  });

  it('holds every page and file that its pages link to', async () => {
    const pages = packed.filter((path) => path.endsWith('.md'));
    expect(pages).toEqual(
      expect.arrayContaining(['README.md', 'docs/running.md', 'connectors/lake/README.md']),
    );
    const missing: string[] = [];
    for (const page of pages) {
      const text = await readFile(join(ROOT, page), 'utf8');
      for (const [, link = ''] of text.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)) {
        const target = relative(ROOT, resolve(ROOT, dirname(page), link));
        const isThere = packed.some((path) => path === target || path.startsWith(`${target}/`));
        if (!isThere && !ONLY_IN_THE_REPOSITORY.test(target)) missing.push(`${page}: ${link}`);
      }
    }
    expect(missing).toEqual([]);
  });

  it('satisfies publint, its suggestions included', () => {
    run(
      checkout,
      process.execPath,
      join(checkout, 'node_modules/publint/src/cli.js'),
      'run',
      '--strict',
      tarball,
    );
  });

  it('has the version that the code says', async () => {
    expect(JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')).version).toBe(VERSION);
    expect(await readFile(join(ROOT, 'CHANGELOG.md'), 'utf8')).toContain(`## ${VERSION}`);
  });
});

describe('installed from its tarball, without development tools', () => {
  let home = '';
  beforeAll(async () => {
    home = join(folder, 'home');
    await mkdir(home);
    await writeFile(join(home, 'package.json'), '{"name":"home","private":true,"type":"module"}');
    npm(home, 'install', '--omit=dev', tarball);
  });

  it('gives the command', () => {
    expect(run(home, 'npx', '--no-install', 'claude-compliance-connector', '--version')).toBe(`${VERSION}\n`);
    const schema = JSON.parse(
      run(home, 'npx', '--no-install', 'claude-compliance-connector', 'schema', 'users'),
    );
    expect(Object.keys(schema.properties)).toContain('organization_uuid');
  });

  it('shows the main job on an API of its own', () => {
    const shown = run(home, 'npx', '--no-install', 'claude-compliance-connector', 'demo');
    expect(shown).toContain('25 organizations, 20,000 users');
    expect(shown).toContain('OK: every file matches its manifest');
  });

  it('gives the Airbyte source', () => {
    const lines = run(home, 'npx', '--no-install', 'source-claude-compliance', 'spec').trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).type)).toEqual(['SPEC']);
  });

  it('gives the library, with types', async () => {
    const program = `import { ComplianceClient, VERSION } from 'claude-compliance-connector';
const client: ComplianceClient = new ComplianceClient({ apiKey: 'sk-ant-api01-x' });
// @ts-expect-error: iterUsers walks all pages, so it takes no page
client.organizations.iterUsers('x', { page: 'y' });
await client.close();
console.log(VERSION);
`;
    await writeFile(join(home, 'program.mts'), program);
    const types = ['--typeRoots', join(ROOT, 'node_modules/@types'), '--types', 'node'];
    const strict = ['--strict', '--module', 'nodenext', '--target', 'es2023', '--skipLibCheck'];
    const lib = ['--lib', 'es2023,esnext.disposable'];
    run(home, process.execPath, TSC, 'program.mts', ...strict, ...lib, ...types);
    expect(run(home, process.execPath, 'program.mjs')).toBe(`${VERSION}\n`);
  });
});

describe('npm ci --omit=dev', () => {
  it('works in the unpacked tarball, with the lock file', async () => {
    const unpacked = join(folder, 'unpacked');
    await mkdir(unpacked);
    run(unpacked, 'tar', '-xzf', tarball, '--strip-components=1');
    await copyFile(join(ROOT, 'package-lock.json'), join(unpacked, 'package-lock.json'));
    npm(unpacked, 'ci', '--omit=dev');
    expect(run(unpacked, 'node', 'dist/connectors/cli/main.js', '--version')).toBe(`${VERSION}\n`);
  });

  it('works in a checkout without a build, and says that nothing was built', async () => {
    const bare = join(folder, 'bare');
    await copyCheckout(bare);
    npm(bare, 'ci', '--omit=dev');
    expect(await readdir(bare)).not.toContain('dist');
    const { status, stderr } = spawnSync('npm', ['run', 'prepare'], { cwd: bare, encoding: 'utf8' });
    expect(status).toBe(0);
    expect(stderr).toContain('Not built: TypeScript is a development dependency.');
  });

  it('does not hide a compiler that fails', async () => {
    await writeFile(join(checkout, 'tsconfig.build.json'), '{ "files": ["src/absent.ts"] }');
    const { status, stdout } = spawnSync('npm', ['run', 'prepare'], { cwd: checkout, encoding: 'utf8' });
    expect(stdout).toContain('src/absent.ts');
    expect(status).not.toBe(0);
  });
});
