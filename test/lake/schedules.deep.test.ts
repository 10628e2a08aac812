import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { LocalStorage, type Manifest, newestWith, readLog } from '../../src/index.js';
import { say } from '../cli/command.js';
import { memberships, rowsOf, servedMemberships } from '../run/support/tree.js';
import { lakeFile, type Machine, setUpMachine } from './machine.js';
import { kubernetesObject, schedules } from './schedules.js';

let api: FixtureApi;
let machine: Machine;
beforeEach(async () => {
  api = await startFixtureApi({ sizes: [2, 3] });
  machine = await setUpMachine();
});
afterEach(async () => {
  await api.close();
  await machine[Symbol.asyncDispose]();
});

async function published(root: string): Promise<string[]> {
  const storage = new LocalStorage(root);
  const newest = await newestWith({
    storage,
    log: await readLog(storage),
    streams: ['organizations', 'users'],
  });
  const manifest = newest as Manifest;
  return memberships(await rowsOf(root, manifest, 'users'));
}

describe.each(schedules)('$name', ({ start, startsAgain }) => {
  it('publishes the snapshot', async () => {
    const root = await machine.tenant('acme', api);
    const { code, stderr } = await machine.run(await start(machine, 'acme'));
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.not.stringContaining('error: ') });
    expect(await published(root)).toEqual(servedMemberships(api));
  });

  it('ends with 2 when the command does, and tries no second time', async () => {
    await machine.tenant('acme', api);
    await machine.replaceCommand(2, 0);
    expect((await machine.run(await start(machine, 'acme'))).code).toBe(2);
    expect([await machine.runs(), await machine.pauses()]).toEqual([1, []]);
    expect(await startsAgain?.(2)).not.toBe(true);
  });

  it('tries again after a 75, and ends with 0 when the next try does', async () => {
    await machine.tenant('acme', api);
    await machine.replaceCommand(75, 0);
    if (startsAgain) {
      expect((await machine.run(await start(machine, 'acme'))).code).toBe(75);
      expect(await startsAgain(75)).toBe(true);
    }
    expect((await machine.run(await start(machine, 'acme'))).code).toBe(0);
    expect([await machine.runs(), (await machine.pauses()).length]).toEqual([2, startsAgain ? 0 : 1]);
  });

  it('does not start again after a success or a failure that a person must look at, and does after a kill', async () => {
    if (!startsAgain) return;
    expect([await startsAgain(0), await startsAgain(1), await startsAgain(137)]).toEqual([
      false,
      false,
      true,
    ]);
  });
});

describe('again-on-75', () => {
  const again = (command: string, tries = '3') =>
    machine.run({ argv: ['again-on-75', '/bin/sh', '-c', command], environment: { AGAIN_TRIES: tries } });

  it('gives up after so many tries, with 75, and pauses between them only', async () => {
    expect((await again('echo tried; exit 75')).stdout).toBe('tried\n'.repeat(3));
    expect((await again('exit 75')).code).toBe(75);
    expect(await machine.pauses()).toEqual(['900', '900', '900', '900']);
  });

  it.each([0, 1, 2, 143])('ends at once with %i', async (code) => {
    const { code: last, stdout } = await again(`echo tried; exit ${code}`);
    expect([last, stdout, await machine.pauses()]).toEqual([code, 'tried\n', []]);
  });
});

describe('several parent organisations', () => {
  const indexed = schedules.find(({ name }) => name.endsWith('indexed-cronjob.yaml'));

  it('are read at once, each with its own key, budget and root; one that fails does not hinder the others', async () => {
    await using other = await startFixtureApi({ seed: 2, sizes: [4, 0, 1], key: 'sk-ant-api01-other' });
    const apis = [api, other];
    const tenants = await Promise.all(apis.map((one, index) => machine.tenant(String(index), one)));
    await using refusing = await startFixtureApi();
    await machine.tenant('2', { ...refusing, key: 'sk-ant-api01-another' });
    const runs = ['0', '1', '2'].map(async (tenant) => {
      const started = await indexed?.start(machine, tenant);
      return (await machine.run(started as NonNullable<typeof started>)).code;
    });
    expect(await Promise.all(runs)).toEqual([0, 0, 2]);
    for (const [index, one] of apis.entries()) {
      expect(await published(tenants[index] ?? '')).toEqual(servedMemberships(one));
      // The list, and a page for each organisation: nothing that another tenant asked for.
      expect(one.requests).toHaveLength(1 + one.organizations().length);
    }
    expect(refusing.requests).toHaveLength(1);
  });
});

describe('the configurations that are shown', () => {
  it('hold only what the command knows', async () => {
    const single = (await kubernetesObject('cronjob.yaml', 'ConfigMap')).data;
    const several = (await kubernetesObject('indexed-cronjob.yaml', 'ConfigMap')).data;
    const shown = [await lakeFile('tenant.json'), ...Object.values(single), ...Object.values(several)];
    expect(shown).toHaveLength(4);
    const known: object = {};
    for (const text of shown) {
      const { out, state, 'api-key-file': keyFile, ...rest } = JSON.parse(text);
      const [name] = /acme|globex/.exec(out) ?? [];
      expect(out).toBe(`s3://lake/claude/${name}`);
      expect(state).toBe(`/var/lib/claude-compliance-connector/${name}`);
      expect(keyFile).toMatch(new RegExp(`/claude-compliance-connector/${name}\\.key$`));
      Object.assign(known, { ...rest, out, state });
    }
    await machine.tenant('shown', api, known);
    const config = join(machine.folder, 'etc/claude-compliance-connector/shown.json');
    expect(await say(['dump', '--config', config, '--dry-run'])).toMatchObject({ code: 0 });
  });
});
