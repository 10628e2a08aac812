import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startFixtureApi } from '../../fixtures/api/index.js';
import { chain, ROOT, readDockerfile } from '../airbyte/dockerfile.js';
import { COMMAND, ended, environmentOf } from '../cli/command.js';
import { temporaryFolder } from '../run/support/tree.js';
import { kubernetesObject } from './schedules.js';

const { bin } = JSON.parse(readFileSync(resolve(ROOT, 'package.json'), 'utf8'));
const stages = readDockerfile();
const instructions = chain(stages, 'command').flatMap((stage) => stage.instructions);
const only = (name: string) => instructions.filter((one) => one.name === name).map(({ value }) => value);

const STOPPED = 'stopped; what was read is kept, run the same command to resume\n';

describe('the image of the command', () => {
  it('starts what npm installs, and is built when no target is named', () => {
    expect(only('ENTRYPOINT').map((value) => JSON.parse(value))).toEqual([
      ['node', resolve('/app', bin['claude-compliance-connector'])],
    ]);
    expect(stages.at(-1)?.name).toBe('command');
  });

  it('runs as the user that the pods name, who is not root', async () => {
    for (const file of ['cronjob.yaml', 'indexed-cronjob.yaml']) {
      const { securityContext } = (await kubernetesObject(file, 'CronJob')).spec.jobTemplate.spec.template
        .spec;
      const { runAsNonRoot, runAsUser, runAsGroup } = securityContext;
      expect([runAsNonRoot, `${runAsUser}:${runAsGroup}`]).toEqual([true, only('USER').at(-1)]);
    }
  });

  const namespace = ['--user', '--map-root-user', '--pid', '--fork', '--kill-child'];
  const isRefused = spawnSync('unshare', [...namespace, 'true']).status !== 0;
  if (isRefused) console.log('not run: the first process of a container: unshare is missing or refused');

  it.skipIf(isRefused)('ends with 143 when its container is stopped', async () => {
    await using api = await startFixtureApi({ sizes: [3] });
    await using folder = await temporaryFolder();
    api.fault({ do: { type: 'hang' } });
    const dump = [process.execPath, COMMAND, 'dump', '--out', folder.path, '--progress', 'none'];
    const container = spawn('unshare', [...namespace, ...dump], { env: environmentOf(api) });
    const ending = ended(container);
    while (api.requests.length === 0) await new Promise((wake) => setTimeout(wake, 20));
    const children = readFileSync(`/proc/${container.pid}/task/${container.pid}/children`, 'utf8');
    process.kill(Number(children.trim()), 'SIGTERM');
    expect(await ending).toMatchObject({ code: 143, signal: null, stderr: STOPPED });
  });
});
