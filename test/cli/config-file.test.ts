import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { flagSettings } from '../../connectors/cli/command-flags.js';
import { dump } from '../../connectors/cli/commands/dump.js';
import { dumpSettings } from '../../connectors/cli/commands/dump-settings.js';
import { commands } from '../../connectors/cli/commands/index.js';
import { readConfigFile } from '../../connectors/kit/config-file.js';
import { flagName } from '../../connectors/kit/options.js';
import { resolveSettings } from '../../connectors/kit/settings.js';
import { temporaryFolder } from '../run/support/tree.js';
import { configSchema } from './config-schema.js';

const ROOT = resolve(import.meta.dirname, '../..');
const SCHEMA_FILE = join(ROOT, 'docs/config.schema.json');

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder[Symbol.asyncDispose]());

async function written(text: string, name = 'dump.yaml'): Promise<string> {
  const path = join(folder.path, name);
  await writeFile(path, text);
  return path;
}

const settingsFrom = async (text: string) =>
  await resolveSettings(dumpSettings, {
    flags: { config: await written(text) },
    context: {
      environment: { ANTHROPIC_COMPLIANCE_ACCESS_KEY: 'sk-ant-api01-some-key' },
      stderr: new PassThrough(),
      signal: new AbortController().signal,
    },
    allFlags: async () => Object.keys(flagSettings(dump).shape).map(flagName),
  });

describe('a file of flags', () => {
  it('is YAML with comments: dates, no and yes are texts, and a mode keeps its zero', async () => {
    const text = `
# every night
run-date: 2026-11-23 # UTC
back_dated: true
out: no
state: 22:22
file-mode: 0640
page-size: 0x10
max-shrink: 1e1
streams: [organizations, users]
org:
  - 01234567-89ab-cdef-0123-456789abcdef
`;
    expect(await settingsFrom(text)).toMatchObject({
      runDate: '2026-11-23',
      backDated: true,
      out: 'no',
      state: '22:22',
      fileMode: '0640',
      pageSize: 16,
      maxShrink: 10,
      streams: ['organizations', 'users'],
      org: ['01234567-89ab-cdef-0123-456789abcdef'],
    });
  });

  it('is JSON, with tabs and comments too, and may name its schema', async () => {
    const json = '\uFEFF{\r\n\t"$schema": "./config.schema.json", # for editors\r\n\t"page-size": 7\r\n}\r\n';
    expect(await readConfigFile(await written(json, 'dump.json'))).toEqual({ 'page-size': '7' });
  });

  it('may be empty, or have comments only', async () => {
    for (const text of ['', '# nothing yet\n', '---\n'])
      expect(await readConfigFile(await written(text))).toEqual({});
  });

  it('may use an anchor a few times', async () => {
    expect(await readConfigFile(await written('out: &place lake\nstate: *place\n'))).toEqual({
      out: 'lake',
      state: 'lake',
    });
  });

  it('gives back what JSON says, whatever the names and texts', async () => {
    const name = fc.stringMatching(/^[a-z][a-z-]{0,8}$/);
    const value = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.boolean(),
      fc.array(fc.string(), { maxLength: 3 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.dictionary(name, value), async (flags) => {
        for (const text of [JSON.stringify(flags, null, '\t'), stringify(flags)])
          expect(await readConfigFile(await written(text))).toEqual({ ...flags });
      }),
    );
  });

  it.each([
    ['a flag twice', 'out: secret\nout: other', 'a flag is there twice (line 2, column 1)'],
    ['a flag twice, spelled differently', 'page-size: 1\npage_size: 2', 'twice, with - and with _'],
    ['a tag', 'out: !!binary secret', 'tags such as !!str are not taken (line 1, column 15)'],
    ['an unknown tag', 'out: lake\nstate: !secret x', 'tags such as !!str are not taken (line 2'],
    ['a tag of a list', 'org: !!set {secret}', 'tags such as !!str are not taken'],
    ['an older version of YAML', '%YAML 1.1\n---\nout: no', '%YAML 1.2 is the only version'],
    ['two documents', 'out: secret\n---\nout: other', 'more than one document'],
    ['an alias of nothing', 'out: *secret', 'an alias has no anchor'],
    ['a colon too much', 'out: secret: x', 'its form is not valid (line 1'],
    ['tabs as indentation', 'org:\n\t- secret', 'a tab is used as indentation'],
    ['a list as a name', '[secret]: 1', 'the name of a flag is no text'],
    ['comments of another language', '{"out": "lake", // secret\n}', 'comments begin with #'],
    ['a list instead of flags', '- secret', 'it is no list of flags and their values'],
    ['a text instead of flags', 'secret', 'it is no list of flags and their values'],
    [
      'aliases of aliases',
      [
        'a: &a [secret, secret]',
        ...['b', 'c', 'd', 'e', 'f'].map((to, i) => `${to}: &${to} [*${'abcde'[i]}, *${'abcde'[i]}]`),
      ].join('\n'),
      'more than 20 aliases',
    ],
  ])('with %s is refused, and not quoted', async (_, text, why) => {
    const error = await readConfigFile(await written(text)).catch((caught) => caught);
    expect(error).toMatchObject({ code: 'config_file_invalid', exitCode: 2 });
    expect(error.message).toContain(why);
    expect(error.message).not.toContain('secret');
  });

  it('with a flag that has no value is refused by the name of the flag', async () => {
    await expect(settingsFrom('api-key-file:\nout: ~')).rejects.toThrow(
      /--out has no value\n +--api-key-file has no value/,
    );
  });

  it('with an object as a value is refused by the name of the flag', async () => {
    await expect(settingsFrom('dump: {out: lake}')).rejects.toThrow('"dump" in');
    await expect(settingsFrom('out: {path: lake}')).rejects.toThrow('--out must be a text');
  });
});

describe('the published schema of the file', () => {
  const validator = async () => {
    const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true });
    addFormats.default(ajv);
    return ajv.compile(JSON.parse(await readFile(SCHEMA_FILE, 'utf8')));
  };

  it('is made from the settings of all commands (`npx vitest run test/cli/config-file.test.ts -u` writes it)', async () => {
    const loaded = await Promise.all(
      commands.map(async ({ name, load }) => ({ name, settings: flagSettings(await load()) })),
    );
    await expect(`${JSON.stringify(configSchema(loaded), null, 2)}\n`).toMatchFileSnapshot(SCHEMA_FILE);
  });

  it('fits the examples of the documentation, which are settings of dump', async () => {
    const isValid = await validator();
    const running = await readFile(join(ROOT, 'docs/running.md'), 'utf8');
    const shown = [...running.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text ?? '');
    const tenant = await readFile(join(ROOT, 'connectors/lake/tenant.json'), 'utf8');
    expect(shown.length).toBeGreaterThan(0);
    for (const text of [...shown, tenant]) {
      expect(isValid(parse(text)), JSON.stringify(isValid.errors)).toBe(true);
      const withoutKey = text.replace(/.*api-key.*\n/, '');
      expect(await settingsFrom(withoutKey)).toMatchObject({ out: parse(text).out });
    }
  });

  it.each([
    ['page-size: 7', true],
    ['page-size: 1001', false],
    ['page-size: many', false],
    ['format: csv', true],
    ['format: [csv, parquet]', true],
    ['format: [cvs]', false],
    ['run-date: 2026-11-23\nback-dated: true', true],
    ['file-mode: 640', true],
    ['file-mode: "888"', false],
    ['org: [acme]', false],
    ['out:', false],
    ['dry-run: yes', false],
    ['pagesize: 7', false],
    ['api-key: sk-ant-api01-secret', false],
    ['$schema: x', true],
  ])('says of %j what dump says of it: %s', async (text, isRight) => {
    const isValid = await validator();
    expect(isValid(parse(text))).toBe(isRight);
    const said = await settingsFrom(text).then(
      () => true,
      () => false,
    );
    expect(said).toBe(isRight);
  });
});
