import { execFile } from 'node:child_process';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { venv } from '../python/venv.js';
import { temporaryFolder } from '../run/support/tree.js';
import { LAKE, lakeFile, type Machine, setUpMachine } from './machine.js';

const execute = promisify(execFile);

interface Ended {
  code: number | string;
  printed: string;
}

/** Everything that a tool prints; `code` is ENOENT where there is no such tool. */
const tool = (program: string, ...args: string[]): Promise<Ended> =>
  execute(program, args).then(
    ({ stdout, stderr }) => ({ code: 0, printed: stdout + stderr }),
    ({ code, stdout = '', stderr = '' }) => ({ code, printed: stdout + stderr }),
  );

const linters = await venv('schedules', ['kubernetes-validate==1.37.0', 'python-crontab==3.4.0']);
const python = 'python' in linters ? linters.python : '';
if ('missing' in linters) console.log(`not run: Kubernetes and cron files: ${linters.missing}`);

const hasSystemd = (await tool('systemd-analyze', '--version')).code === 0;
if (!hasSystemd) console.log('not run: systemd units: systemd-analyze is missing');

/** actionlint, compiled from its source: no registry that these tests use has its binary. Made once, in `.cache/`. */
async function actionlint(): Promise<string | undefined> {
  const cache = resolve(import.meta.dirname, '../../.cache/actionlint-1.7.12');
  const program = join(cache, 'actionlint');
  for (const _ of ['first', 'second']) {
    if ((await tool(program, '-version')).code === 0) return program;
    const env = { ...process.env, GOBIN: cache };
    await execute('go', ['install', 'github.com/rhysd/actionlint/cmd/actionlint@v1.7.12'], { env }).catch(
      () => {},
    );
  }
  return (await tool(program, '-version')).code === 0 ? program : undefined;
}
const workflowLinter = await actionlint();
if (workflowLinter === undefined) {
  console.log('not run: the GitHub workflow: actionlint could not be compiled (Go or its proxy is missing)');
}

describe.skipIf(!hasSystemd)('systemd', () => {
  const UNITS = ['claude-compliance-connector@.service', 'claude-compliance-connector@.timer'];
  let machine: Machine;
  beforeAll(async () => {
    machine = await setUpMachine();
    for (const unit of UNITS) {
      // The command must be there to be verified; the other places need not be.
      const text = await lakeFile(`systemd/${unit}`);
      const moved = text.replaceAll('/usr/local/bin', join(machine.folder, '/usr/local/bin'));
      await writeFile(join(machine.folder, unit), moved);
    }
  });
  afterAll(() => machine[Symbol.asyncDispose]());

  it.each(UNITS)('reports nothing about %s', async (unit) => {
    expect(await tool('systemd-analyze', 'verify', join(machine.folder, unit))).toEqual({
      code: 0,
      printed: '',
    });
  });

  it('rates the exposure of the service as low', async () => {
    const service = join(machine.folder, UNITS[0] as string);
    const { printed } = await tool('systemd-analyze', 'security', '--offline=yes', '--threshold=20', service);
    expect(printed).toMatch(/Overall exposure level.*: [01]\.\d OK/);
  });
});

describe.skipIf(python === '')('Kubernetes', () => {
  it.each(['cronjob.yaml', 'indexed-cronjob.yaml'])('accepts %s by its schema', async (file) => {
    const path = join(LAKE, 'kubernetes', file);
    const { code, printed } = await tool(python, '-m', 'kubernetes_validate', '--strict', path);
    expect([code, printed.match(/passed for resource/g)?.length]).toEqual([0, 3]);
  });
});

describe.skipIf(python === '')('cron', () => {
  it('file has a line that python-crontab reads', async () => {
    const read = `import json, sys
from crontab import CronTab
jobs = CronTab(tabfile=sys.argv[1], user=False)
print(json.dumps([[str(job.slices), job.user, job.is_valid()] for job in jobs]))`;
    const { printed } = await tool(python, '-c', read, join(LAKE, 'cron/claude-compliance-connector'));
    expect(JSON.parse(printed)).toEqual([['17 2 * * *', 'claude-compliance-connector', true]]);
  });
});

describe.skipIf(workflowLinter === undefined)('actionlint', () => {
  it('reports nothing about the workflow', async () => {
    const folder = await temporaryFolder();
    const workflow = join(folder.path, '.github/workflows/claude-compliance-connector.yml');
    await mkdir(dirname(workflow), { recursive: true });
    await cp(join(LAKE, 'github/claude-compliance-connector.yml'), workflow);
    expect(await tool(String(workflowLinter), '-no-color', workflow)).toEqual({ code: 0, printed: '' });
    await writeFile(
      workflow,
      (await lakeFile('github/claude-compliance-connector.yml')).replace('runs-on', 'runs-at'),
    );
    expect((await tool(String(workflowLinter), '-no-color', workflow)).code).toBe(1);
    await folder[Symbol.asyncDispose]();
  });
});
