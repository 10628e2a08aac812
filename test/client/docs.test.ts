import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { clientSettings } from '../../src/client/settings.js';

const ROOT = resolve(import.meta.dirname, '../..');
const text = await readFile(join(ROOT, 'docs/client.md'), 'utf8');
const examples = [...text.matchAll(/```ts\n([\s\S]*?)```\n```text\n([\s\S]*?)```/g)].map(
  ([, code = '', output = '']) => ({ code, output: output.trim() }),
);

let api: FixtureApi;
let folder: string;
beforeAll(async () => {
  api = await startFixtureApi();
  folder = await mkdtemp(join(tmpdir(), 'client-docs-'));
  await mkdir(join(ROOT, '.cache/client-docs'), { recursive: true });
});
afterAll(async () => {
  await api.close();
  await rm(folder, { recursive: true });
});

/** The output as a pattern: `…` matches anything within a line. */
const patternOf = (output: string): RegExp => new RegExp(`^${output.split('…').map(literally).join('.*')}$`);

const literally = (literal: string): string => literal.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

it.concurrent.each(examples.map((example, index) => [index, example] as const))(
  'example %i of docs/client.md runs, and prints what it says',
  async (index, { code, output }) => {
    const file = join(ROOT, `.cache/client-docs/example-${index}.ts`);
    await writeFile(file, code);
    const env = {
      ...process.env,
      ANTHROPIC_COMPLIANCE_ACCESS_KEY: api.key,
      ANTHROPIC_COMPLIANCE_BASE_URL: api.url,
    };
    const loader = join(ROOT, 'node_modules/tsx/dist/loader.mjs');
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', loader, file], {
      cwd: folder,
      env,
    });
    expect(stdout.trim()).toMatch(patternOf(output));
  },
  60_000,
);

it('docs/client.md shows examples', () => {
  expect(examples).toHaveLength(5);
});

it('docs/client.md has every option, with its default and its description', () => {
  const { properties = {} } = z.toJSONSchema(clientSettings, { io: 'input' });
  for (const [name, property] of Object.entries(properties)) {
    const { default: value, description } = property as { default?: unknown; description?: string };
    const shown = value === undefined ? ' ' : ` \`${value}\` `;
    expect(text).toContain(`| \`${name}\` |${shown}| ${description} |`);
  }
});

it('docs/client.md has every code that reading throws', async () => {
  const named =
    /\b(?:code: |fault\(|config\(|system\(|transient\(|late\([\w.]+, |distrust\(\w+, \w+, )'([a-z_0-9]+)'/g;
  const codes = new Set<string>();
  for (const layer of ['src/client', 'src/streams', 'src/model', 'src/extract']) {
    for (const name of await readdir(join(ROOT, layer))) {
      if (name === 'pseudonyms.ts') continue; // of what is written, not of reading
      const source = await readFile(join(ROOT, layer, name), 'utf8');
      for (const [, code = ''] of source.replace(/\(\s+/g, '(').matchAll(named)) codes.add(code);
    }
  }
  expect(codes.size).toBeGreaterThan(40);
  expect([...codes].filter((code) => !text.includes(`\`${code}\``))).toEqual([]);
});
