import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FixtureApi, startFixtureApi } from '../../fixtures/api/index.js';
import { LocalStorage, type Manifest, newestSnapshot } from '../../src/index.js';
import { memberships, rowsOf, servedMemberships } from '../snapshot/tree.js';
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

async function landed(root: string): Promise<string[]> {
  const manifest = (await newestSnapshot(new LocalStorage(root))) as Manifest;
  return memberships(await rowsOf(root, manifest, 'users'));
}

const OUT_OF_REACH = { match: { times: 1 }, do: { type: 'answer', status: 503 } } as const;

describe.each(schedules)('$name', ({ start, startsAgain }) => {
  it('ends with 2 for a key that is refused, and tries no second time', async () => {
    await machine.tenant('acme', { ...api, key: 'sk-ant-api01-another' });
    const { code, stderr } = await machine.run(await start(machine, 'acme'));
    expect([code, stderr]).toEqual([2, expect.stringContaining('error: ')]);
    expect(api.requests).toHaveLength(1);
    expect(await startsAgain?.(2)).not.toBe(true);
  });

  it('tries again after a 75, then lands the snapshot and ends with 0', async () => {
    const root = await machine.tenant('acme', api);
    api.fault(OUT_OF_REACH);
    if (startsAgain) {
      expect((await machine.run(await start(machine, 'acme'))).code).toBe(75);
      expect(await startsAgain(75)).toBe(true);
    }
    expect((await machine.run(await start(machine, 'acme'))).code).toBe(0);
    expect(await machine.pauses()).toHaveLength(startsAgain ? 0 : 1);
    expect(await landed(root)).toEqual(servedMemberships(api));
  });

  it('leaves to a person what was not landed for good, and restarts what was killed', async () => {
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

  it('are read at once, each with its own key, budget and root', async () => {
    await using other = await startFixtureApi({ seed: 2, sizes: [4, 0, 1], key: 'sk-ant-api01-other' });
    const apis = [api, other];
    const tenants = await Promise.all(apis.map((one, index) => machine.tenant(String(index), one)));
    const runs = apis.map(async (_, index) => {
      const started = await indexed?.start(machine, String(index));
      return (await machine.run(started as NonNullable<typeof started>)).code;
    });
    expect(await Promise.all(runs)).toEqual([0, 0]);
    for (const [index, one] of apis.entries()) {
      expect(await landed(tenants[index] ?? '')).toEqual(servedMemberships(one));
      // The list, and a page for each organisation: nothing that another tenant asked for.
      expect(one.requests).toHaveLength(1 + one.organizations().length);
    }
  });

  it('do not keep each other up when one of them fails', async () => {
    const [good, bad] = [await machine.tenant('0', api), { ...api, key: 'sk-ant-api01-another' }];
    await machine.tenant('1', bad);
    const codes = ['0', '1'].map(async (tenant) => {
      const started = await indexed?.start(machine, tenant);
      return (await machine.run(started as NonNullable<typeof started>)).code;
    });
    expect(await Promise.all(codes)).toEqual([0, 2]);
    expect(await landed(good)).toEqual(servedMemberships(api));
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
      expect(state).toBe(`/var/lib/claude-compliance/${name}`);
      expect(keyFile).toMatch(new RegExp(`/claude-compliance/${name}\\.key$`));
      Object.assign(known, { ...rest, out, state });
    }
    await machine.tenant('shown', api, known);
    const argv = [
      'claude-compliance',
      'dump',
      '--config',
      'etc/claude-compliance/shown.json',
      '--dry-run',
    ] as const;
    expect(await machine.run({ argv })).toMatchObject({ code: 0 });
  });
});
